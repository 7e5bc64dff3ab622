import { createLazyRoute } from '@tanstack/react-router';
import { RunScreen } from './screen.tsx';

export const route = createLazyRoute('/runs/$runId')({ component: RunScreen });
