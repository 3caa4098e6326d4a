// The screens, a line for each; what they are made of is loaded when one is first opened.
import { lazy } from 'react'
import { Route, Switch } from 'wouter'
import { Title } from './frame/Frame'
import { RunList } from './runs/List'
import { strings } from './strings'
import { WorkflowList } from './workflows/List'

const Overview = lazy(() => import('./overview/Page').then((m) => ({ default: m.Overview })))
const WorkflowPage = lazy(() => import('./workflows/Page').then((m) => ({ default: m.WorkflowPage })))
const NewWorkflow = lazy(() => import('./workflows/New').then((m) => ({ default: m.NewWorkflow })))
const TemplateList = lazy(() => import('./templates/List').then((m) => ({ default: m.TemplateList })))
const TemplatePage = lazy(() => import('./templates/Page').then((m) => ({ default: m.TemplatePage })))
const TemplateUpdate = lazy(() => import('./templates/Update').then((m) => ({ default: m.Update })))
const ApprovalList = lazy(() => import('./approvals/List').then((m) => ({ default: m.ApprovalList })))
const ApprovalPage = lazy(() => import('./approvals/Page').then((m) => ({ default: m.ApprovalPage })))
const Versus = lazy(() => import('./runs/Versus').then((m) => ({ default: m.Versus })))
const RunPage = lazy(() => import('./runs/Page').then((m) => ({ default: m.RunPage })))
const Versions = lazy(() => import('./compare/Versions').then((m) => ({ default: m.Versions })))
const Editor = lazy(() => import('./editor/Page').then((m) => ({ default: m.Editor })))
const Compare = lazy(() => import('./compare/Page').then((m) => ({ default: m.Compare })))
const ScheduleList = lazy(() => import('./schedules/screens').then((m) => ({ default: m.ScheduleList })))
const NewSchedule = lazy(() => import('./schedules/screens').then((m) => ({ default: m.NewSchedule })))
const EditSchedule = lazy(() => import('./schedules/screens').then((m) => ({ default: m.EditSchedule })))
const SchedulePage = lazy(() => import('./schedules/screens').then((m) => ({ default: m.SchedulePage })))

export function Routes() {
  return (
    <Switch>
      <Route path="/" component={Overview} />
      <Route path="/workflows" component={WorkflowList} />
      <Route path="/workflows/:slug/edit">{(p) => <Editor key={p.slug} slug={p.slug} />}</Route>
      <Route path="/workflows/:slug/versions">{(p) => <Versions key={p.slug} slug={p.slug} />}</Route>
      <Route path="/workflows/:slug/compare/:a/:b">{(p) => <Compare key={p.slug} slug={p.slug} a={p.a} b={p.b} />}</Route>
      <Route path="/workflows/new" component={NewWorkflow} />
      <Route path="/workflows/:slug">{(p) => <WorkflowPage key={p.slug} slug={p.slug} tab="overview" />}</Route>
      <Route path="/workflows/:slug/settings">{(p) => <WorkflowPage key={p.slug} slug={p.slug} tab="settings" />}</Route>
      <Route path="/workflows/:slug/update">{(p) => <TemplateUpdate key={p.slug} slug={p.slug} />}</Route>
      <Route path="/templates" component={TemplateList} />
      <Route path="/templates/:id">{(p) => <TemplatePage key={p.id} id={p.id} />}</Route>
      <Route path="/approvals" component={ApprovalList} />
      <Route path="/approvals/:id">{(p) => <ApprovalPage key={p.id} id={p.id} />}</Route>
      <Route path="/runs" component={RunList} />
      <Route path="/runs/:a/vs/:b">{(p) => <Versus key={p.a + p.b} a={p.a} b={p.b} />}</Route>
      <Route path="/runs/:id">{(p) => <RunPage key={p.id} id={p.id} />}</Route>
      <Route path="/schedules" component={ScheduleList} />
      <Route path="/schedules/new" component={NewSchedule} />
      <Route path="/schedules/:id/edit">{(p) => <EditSchedule key={p.id} id={p.id} />}</Route>
      <Route path="/schedules/:id">{(p) => <SchedulePage key={p.id} id={p.id} />}</Route>
      <Route><Title text={strings.notThere} /><p>{strings.notBuilt}</p></Route>
    </Switch>
  )
}
