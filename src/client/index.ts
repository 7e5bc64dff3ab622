export { type Followed, type FollowOptions, follow } from './follow.ts';
export { errorOf, reach } from './response.ts';
