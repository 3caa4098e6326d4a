// Local times of a named zone. Cron expressions are the server's; this is only what a form and
// a calendar need: which instant a local time is, and when the zone's clocks change next.

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone)
  if (!f) {
    f = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
    formats.set(zone, f)
  }
  return f
}

// known reports whether the browser knows the zone; the server may know more.
export function known(zone: string): boolean {
  try {
    return zone !== '' && Boolean(format(zone))
  } catch {
    return false
  }
}

// local writes an instant as a zone's clocks show it: 2026-03-29T01:30.
export function local(at: number, zone: string): string {
  const p: Record<string, string> = {}
  for (const { type, value } of format(zone).formatToParts(at)) p[type] = value
  return `${p['year']}-${p['month']}-${p['day']}T${p['hour']}:${p['minute']}`
}

// offset is how far a zone is ahead of UTC at an instant, in milliseconds, to the minute.
export function offset(at: number, zone: string): number {
  return Date.parse(local(at, zone) + 'Z') - Math.floor(at / 60_000) * 60_000
}

// instant is when a zone's clocks show a local time: the first time where they show it twice,
// and what the former offset makes of it where they jump over it.
export function instant(text: string, zone: string): number {
  const wall = Date.parse(text + 'Z')
  const before = wall - offset(wall - 86_400_000, zone)
  const after = wall - offset(wall + 86_400_000, zone)
  const fits = [before, after].filter((at) => local(at, zone) === local(wall, 'UTC'))
  return fits.length ? Math.min(...fits) : before
}

// startOf is when a day such as 2026-03-29 begins, also where there is no midnight.
export function startOf(date: string, zone: string): number {
  return instant(date + 'T00:00', zone)
}

// nextChange is the first instant after at when a zone's clocks change, within two years; null: none.
export function nextChange(at: number, zone: string): number | null {
  const step = 7 * 86_400_000
  for (let low = at; low < at + 2 * 366 * 86_400_000; low += step) {
    const was = offset(low, zone)
    let high = low + step
    if (offset(high, zone) === was) continue
    let from = low
    while (high - from > 1_000) {
      const middle = Math.floor((from + high) / 2)
      if (offset(middle, zone) === was) from = middle
      else high = middle
    }
    return Math.round(high / 60_000) * 60_000
  }
  return null
}

// zoned writes a time that has its offset, as the server sends it, without moving it to another
// zone: "Sun 29 Mar 2026, 03:00 +02:00".
export function zoned(text: string): string {
  const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
  const seconds = text.slice(16, 19) === ':00' ? '' : text.slice(16, 19)
  return `${day.format(Date.parse(text.slice(0, 10) + 'T00:00:00Z')).replace(',', '')}, ${text.slice(11, 16)}${seconds} ${text.slice(19) === 'Z' ? 'UTC' : text.slice(19)}`
}
