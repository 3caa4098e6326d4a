// Months as rows of weeks, by dates such as 2026-03-29; no time of day is in them.

const utc = (date: string) => Date.parse(date + 'T00:00:00Z')
const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10)

export const addDays = (date: string, n: number) => dateOf(utc(date) + n * 86_400_000)

// addMonths moves a month such as 2026-03.
export function addMonths(month: string, n: number): string {
  const [y, m] = month.split('-').map(Number)
  return dateOf(Date.UTC(y ?? 1970, (m ?? 1) - 1 + n, 1)).slice(0, 7)
}

// validMonth reports whether a text of the URL is a month of the years 1971 to 9000.
export const validMonth = (text: string) => /^\d{4}-(0[1-9]|1[0-2])$/.test(text) && text >= '1971-01' && text < '9000-12'

// weeksOf lists a month's days by weeks that begin on Monday; null stands for days of others.
export function weeksOf(month: string): (string | null)[][] {
  const first = `${month}-01`
  const length = Number(addDays(`${addMonths(month, 1)}-01`, -1).slice(8))
  const cells: (string | null)[] = Array.from({ length: (new Date(utc(first)).getUTCDay() + 6) % 7 }, () => null)
  for (let d = 0; d < length; d++) cells.push(addDays(first, d))
  while (cells.length % 7) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, w) => cells.slice(7 * w, 7 * w + 7))
}

export const monthName = (month: string) => new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(utc(`${month}-01`))
export const dayName = (date: string) => new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(utc(date)).replace(',', '')
