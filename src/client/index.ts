export { type Followed, type FollowOptions, follow } from './follow.ts';
export { Producer, type ProducerOptions } from './producer.ts';
export { errorOf, reach } from './response.ts';
