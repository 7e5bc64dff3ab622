import { createLazyRoute } from '@tanstack/react-router';
import { ChatScreen } from './screen.tsx';

export const route = createLazyRoute('/chat/$threadId')({ component: ChatScreen });
