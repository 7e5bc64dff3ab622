/** Vitest reporter: names every skipped test with its reason and ends with `N passed, N failed, N skipped`. */
export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skips = [];
    for (const module of modules) {
      // A file that did not load has no tests to count, but it did fail.
      if (module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state in count) count[state]++;
        if (state === 'skipped') skips.push(`  skipped: ${test.fullName}${note ? ` (${note})` : ''}`);
      }
    }
    count.failed += errors.length;
    for (const line of skips) process.stdout.write(`${line}\n`);
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
