import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Value } from '../api/lossless'
import { Act } from '../ui/Act'
import { runPath } from '../routes'
import { ReasonDialog, type Steer } from './ReasonDialog'
import { ResumeDialog } from './ResumeDialog'
import { terminal, type RunDetail } from './live'
import { strings } from './strings'

interface Props { run: RunDetail; definition: Value | undefined; active: number | undefined; latest: number | undefined; onChanged: () => void }

// Steering are the buttons of what can be done with a run now; each asks for a reason first.
export function Steering({ run, definition, active, latest, onChanged }: Props) {
  const [, navigate] = useLocation()
  const [open, setOpen] = useState<Steer | 'resume' | null>(null)
  const ended = terminal.has(run.status)
  const resumable = run.status === 'paused' || run.status === 'pausing' || run.status === 'failed' || run.status === 'cancelled'
  const done = (next: string | undefined) => {
    setOpen(null)
    if (open === 'delete') navigate('/runs')
    else if (next && next !== run.id) navigate(runPath(next))
    else onChanged()
  }
  return (
    <div className="steering">
      {resumable ? <Act can={run.can} needs="execute" look="primary" onClick={() => setOpen('resume')}>{strings.resume}</Act> : null}
      {!ended && !resumable ? <Act can={run.can} needs="execute" onClick={() => setOpen('pause')}>{strings.pause}</Act> : null}
      {!ended ? <Act can={run.can} needs="execute" onClick={() => setOpen('cancel')}>{strings.cancel}</Act> : null}
      <Act can={run.can} needs="operate" onClick={() => setOpen('restart')}>{strings.restart}</Act>
      {!ended ? <Act can={run.can} needs="operate" look="danger" onClick={() => setOpen('terminate')}>{strings.terminate}</Act>
        : <Act can={run.can} needs="operate" look="danger" onClick={() => setOpen('delete')}>{strings.remove}</Act>}
      {open === 'resume' ? <ResumeDialog run={run} definition={definition} active={active} latest={latest} onClose={() => setOpen(null)} onDone={done} /> : null}
      {open && open !== 'resume' ? <ReasonDialog run={run.id} steer={open} definition={definition} onClose={() => setOpen(null)} onDone={done} /> : null}
    </div>
  )
}
