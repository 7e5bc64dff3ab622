import { rendering } from './parts/later.ts';

export const loadStory = () => import('./story.ts');

/** What works out rows and agents of a run, once it is here. */
export const useStory = rendering(loadStory);
