/** A process of its own that erases a run until it is killed: `node eraser.fixture.ts <dir> <segmentBytes> <run>`. */
import { writeSync } from 'node:fs';
import { openStore } from './place.fixture.ts';

const [dir, segmentBytes, runId] = process.argv.slice(2);
const log = await openStore(dir!, Number(segmentBytes));
writeSync(1, 'erasing\n');
await log.retention.erase(runId!);
writeSync(1, 'erased\n');
await log.close();
