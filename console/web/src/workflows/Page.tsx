import { useLocation, useSearch } from 'wouter'
import { Failure } from '../api/client'
import { useWholeWorkflow } from '../api/workflow'
import { Title } from '../frame/Frame'
import { to, workflowPath } from '../routes'
import { Loading, Problem } from '../ui/Problem'
import { Head } from './Head'
import { Overview } from './Overview'
import { RunDialog } from './RunDialog'
import { Settings } from './Settings'
import './style.css'

// WorkflowPage is one workflow. ?run opens the dialog that runs it.
export function WorkflowPage({ slug, tab }: { slug: string; tab: 'overview' | 'settings' }) {
  const found = useWholeWorkflow(slug)
  const [path, navigate] = useLocation()
  const asked = new URLSearchParams(useSearch()).has('run')
  if (!found.data) {
    return found.error ? <><Title text={slug} /><Problem error={found.error} {...(found.error instanceof Failure && found.error.status === 404 ? {} : { retry: () => void found.refetch() })} /></> : <Loading />
  }
  const { workflow: w, etag } = found.data
  return (
    <>
      <Head w={w} at={tab} onRun={() => navigate(to(path, { run: '1' }), { replace: true })} />
      {found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : null}
      {tab === 'settings' ? <Settings w={w} etag={etag} /> : <Overview w={w} />}
      {asked ? <RunDialog w={w} onClose={() => navigate(tab === 'settings' ? path : workflowPath(w.slug), { replace: true })} /> : null}
    </>
  )
}
