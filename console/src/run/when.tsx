import type { ReactElement } from 'react';
import { absolute } from '../ui/format.ts';
import { useScene } from './scene.ts';

/** When something happened: since the run began; the time itself on hover. Nothing ticks: the log says both. */
export function When({ time, seq }: { readonly time: string | undefined; readonly seq: number }): ReactElement {
  const { startedAt } = useScene();
  if (time === undefined) return <span className="when" title={`Event ${seq}`} />;
  const since = startedAt === undefined ? undefined : Date.parse(time) - startedAt;
  return (
    <time className="when" dateTime={time} title={`Event ${seq} · ${absolute(time)}`}>
      {since === undefined ? '' : sinceStart(since)}
    </time>
  );
}

/** `0:31.2`, `12:05.0`, `1:02:03`: digits below each other stand for the same. */
export function sinceStart(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${String(Math.floor(seconds)).padStart(2, '0')}`
    : `${minutes}:${seconds.toFixed(1).padStart(4, '0')}`;
}
