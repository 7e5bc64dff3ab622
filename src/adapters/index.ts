export { currentRun, runAs } from './current.ts';
