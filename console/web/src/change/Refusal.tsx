import { Failure } from '../api/client'
import { Problem } from '../ui/Problem'

interface Issue { message: string; line?: number; column?: number; severity: string }

// Refusal says why the server refuses, with each finding of a definition that is not sound.
export function Refusal({ error, retry }: { error: unknown; retry?: () => void }) {
  const found = error instanceof Failure && Array.isArray(error.body['diagnostics']) ? (error.body['diagnostics'] as Issue[]) : []
  return (
    <div>
      <Problem error={error} {...(retry ? { retry } : {})} />
      {found.length > 0 ? <ul className="findings">{found.slice(0, 20).map((d, i) => <li key={i}>{d.message}{d.line ? <span className="faint"> {d.line}:{d.column}</span> : null}</li>)}</ul> : null}
    </div>
  )
}
