export { builtConsole, ConsoleFiles } from './files.ts';
export { consoleOperations, consoleRoutes } from './routes.ts';
