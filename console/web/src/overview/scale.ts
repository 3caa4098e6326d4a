// Where the bars of the runs by hour stand. Pure: no React, no fetching.
import type { Bucket } from '../api/stats'

export const kinds = ['completed', 'cancelled', 'failed'] as const
export type Kind = (typeof kinds)[number]
export interface Bar { kind: Kind; y: number; height: number }

// top is the round number at which the scale ends: at least 4, and at least the highest bar.
export function top(buckets: Bucket[]): number {
  const highest = Math.max(4, ...buckets.map((b) => b.completed + b.failed + b.cancelled))
  const power = 10 ** Math.floor(Math.log10(highest))
  for (const n of [1, 2, 4, 5, 10]) if (n * power >= highest) return n * power
  return highest
}

// stack lays an hour's counts on each other, from the bottom, in a field that is high units high.
// What is not 0 can be seen: it is at least 2 units high.
export function stack(b: Bucket, max: number, high: number): Bar[] {
  let y = high
  const bars: Bar[] = []
  for (const kind of kinds) {
    if (b[kind] === 0) continue
    const height = Math.max(2, Math.round((b[kind] / max) * high))
    y = Math.max(0, y - height)
    bars.push({ kind, y, height })
  }
  return bars
}
