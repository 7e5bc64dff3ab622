import { createLazyRoute } from '@tanstack/react-router';
import { ChatScreen } from './screen.tsx';

export const newRoute = createLazyRoute('/chat')({ component: ChatScreen });
export const threadRoute = createLazyRoute('/chat/$threadId')({ component: ChatScreen });
