import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useApprovalCount, useWorkflows } from '../api/queries'
import { useSchedules } from '../api/schedules'
import type { RunStats } from '../api/stats'
import { text } from './strings'

function Tile({ name, value, href, bad, children }: { name: string; value: string | undefined; href: string; bad?: boolean; children?: ReactNode }) {
  return (
    <li><Link href={href} className="tile">
      <span className="faint">{name}</span><strong className={bad ? 'tone-red' : undefined}>{value ?? '–'}</strong>
      {children ? <span className="faint small">{children}</span> : null}
    </Link></li>
  )
}

// Tiles say whether anything is wrong now; each leads to what it counts.
export function Tiles({ stats }: { stats: RunStats | undefined }) {
  const failing = useWorkflows({ health: 'failing' }).data
  const mine = useApprovalCount().data
  const late = useSchedules({ health: 'late' }).data
  const slots = stats?.slots
  return (
    <ul className="tiles">
      <Tile name={text.failing} value={failing && `${failing.workflows.length}${failing.next_cursor ? '+' : ''}`} href="/workflows?health=failing" bad={(failing?.workflows.length ?? 0) > 0}>{text.failingHelp}</Tile>
      <Tile name={text.mine} value={mine && `${mine.mine}${mine.mine_capped ? '+' : ''}`} href="/approvals">{mine ? `${mine.open} open for all` : ''}</Tile>
      <Tile name={text.late} value={late && `${late.schedules.length}${late.next_cursor ? '+' : ''}`} href="/schedules?health=late" bad={(late?.schedules.length ?? 0) > 0}>{text.lateHelp}</Tile>
      <Tile name={text.slots} value={slots ? text.slotsUsed(slots.used, slots.of) : undefined} href="/runs?status=queued" bad={Boolean(slots && slots.used >= slots.of && stats.open.queued > 0)}>
        {stats ? slots ? text.queue(stats.open.queued, slots.queued_oldest_seconds) : text.slotsNone : ''}
      </Tile>
    </ul>
  )
}
