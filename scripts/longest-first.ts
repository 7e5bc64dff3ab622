import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Short to read and long to run. */
const LONG = [
  'src/package.test.ts',
  'src/crash.test.ts',
  'src/http/people.crash.test.ts',
  'src/http/hosts.next.test.ts',
  'src/log/embedded/cases.test.ts',
  'src/log/embedded/kill.test.ts',
  'src/react/docs.test.ts',
];

/**
 * The longest files first, so that the last ones end together. Vitest knows how long each took once it has run them here;
 * before that it goes by how much there is to read.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(`/${name}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((it) => !isLong(it))];
  }
}
