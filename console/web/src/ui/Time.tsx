import { createContext, useContext, useEffect, useState } from 'react'
import { skew } from '../api/client'
import { absolute, duration, relative } from '../time/time'

// Clock is the one switch for all times: UTC, or the browser's zone.
export const Clock = createContext({ utc: false, setUTC: (_: boolean) => {} })

// useNow ticks every ten seconds, by the server's clock.
export function useNow(): number {
  const [now, set] = useState(() => Date.now() + skew)
  useEffect(() => {
    const timer = setInterval(() => set(Date.now() + skew), 10_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

export function Time({ at, now }: { at: string | null | undefined; now: number }) {
  const { utc } = useContext(Clock)
  if (!at) return <span className="faint">–</span>
  const ms = Date.parse(at)
  return <time dateTime={at} title={absolute(ms, utc)}>{relative(ms, now)}</time>
}

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  return seconds === null || seconds === undefined ? <span className="faint">–</span> : <>{duration(seconds)}</>
}
