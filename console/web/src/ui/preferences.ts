// What a person has chosen for this browser: how times are written, and whether single letters
// are keys. Nothing of a session, and nothing that users wrote.
const prefix = 'heddle.'

export function preference(name: 'utc' | 'letters', otherwise: boolean): boolean {
  try {
    const kept = localStorage.getItem(prefix + name)
    return kept === null ? otherwise : kept === 'true'
  } catch {
    return otherwise // storage is switched off
  }
}

export function prefer(name: 'utc' | 'letters', value: boolean) {
  try {
    localStorage.setItem(prefix + name, String(value))
  } catch {
    // it holds until the page is left
  }
}
