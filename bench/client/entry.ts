/** Entry of the bundle: gives the page to who drives it. */
import { page } from './page.tsx';

window.page = page;
