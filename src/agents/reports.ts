import type { EventData } from '../protocol/index.ts';
import { placeOf, type Report } from './report.ts';

/** What the specialists of one run come back with, in the order in which they were asked, whoever is ready first. */
export class Reports {
  readonly #asked: { report?: Report }[] = [];
  readonly #told = new Set<string>();

  /** Whether anybody was asked. */
  get begun(): boolean {
    return this.#asked.length > 0;
  }

  /** Keeps a place for a report, which comes when it comes, or not at all. */
  async expect(report: Promise<Report>): Promise<Report> {
    const place: { report?: Report } = {};
    this.#asked.push(place);
    place.report = await report;
    return place.report;
  }

  /** The places in files that an answer can quote, each once in all. */
  *newSources(): Generator<EventData<'source.added'>, void, void> {
    for (const finding of this.#asked.flatMap((it) => it.report?.findings ?? [])) {
      const { path, line, quote } = finding;
      const sourceId = placeOf(finding);
      if (!this.#told.has(sourceId)) yield { sourceId, path, line, quote };
      this.#told.add(sourceId);
    }
  }
}
