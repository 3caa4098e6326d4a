import { Link } from 'wouter'
import { useInfo } from '../api/queries'
import { useInstalled, useTemplate, type TemplateWhole } from '../api/templates'
import { Title } from '../frame/Frame'
import { workflowPath } from '../routes'
import { DefinitionGraph } from '../ui/DefinitionGraph'
import { Loading, Problem } from '../ui/Problem'
import { Install } from './Install'
import { strings } from './strings'
import './style.css'

function InstalledList({ t }: { t: TemplateWhole }) {
  const list = useInstalled(t.id)
  if (list.error) return <Problem error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return null
  return (
    <section aria-labelledby="installed-title">
      <h2 id="installed-title">{strings.installed}</h2>
      {list.data.installed.length === 0 ? <p className="faint">{strings.noneInstalled}</p> : null}
      <ul className="plainlist">{list.data.installed.map((w) => (
        <li key={w.id}><Link href={workflowPath(w.slug)}>{w.name}</Link> <code className="faint">{w.slug}</code> {w.template_version < t.version ? <Link href={`${workflowPath(w.slug)}/update`} className="hint">{strings.behind(w.template_version)}</Link> : null}</li>
      ))}</ul>
    </section>
  )
}

// TemplatePage is a template, with the form that installs it beside what it does.
export function TemplatePage({ id }: { id: string }) {
  const found = useTemplate(id)
  const info = useInfo()
  const t = found.data
  if (!t) return found.error ? <><Title text={strings.title} /><Problem error={found.error} retry={() => void found.refetch()} /></> : <Loading />
  return (
    <>
      <Title text={t.name} />
      <div className="facts faint"><span>{t.category}</span><span>{t.is_builtin ? strings.builtin : strings.own}</span><span>v{t.version}</span></div>
      <div className="install">
        <div className="install-form">
          <p className="lead">{t.description}</p>
          <Install t={t} can={info.data?.can} />
        </div>
        <div className="install-about">
          <section aria-labelledby="about-title"><h2 id="about-title">{strings.about}</h2><DefinitionGraph definition={t.definition} label={strings.about} /></section>
          <InstalledList t={t} />
        </div>
      </div>
    </>
  )
}
