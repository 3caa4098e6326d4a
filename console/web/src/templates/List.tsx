import { Link, useLocation, useSearch } from 'wouter'
import { useTemplates, type Template } from '../api/templates'
import { Title } from '../frame/Frame'
import { to } from '../routes'
import { strings as shared } from '../strings'
import { Empty, Loading, Problem } from '../ui/Problem'
import { strings } from './strings'
import './style.css'

function Card({ t }: { t: Template }) {
  return (
    <li>
      <Link href={`/templates/${t.id}`} className="card">
        <span className="card-name">{t.name}</span>
        <span className="card-text">{t.description}</span>
        <span className="faint card-foot"><span>{t.category}</span><span>{t.is_builtin ? strings.builtin : strings.own} · v{t.version}</span></span>
      </Link>
    </li>
  )
}

// Those that reach nothing outside come first: they can be tried at once.
const first = (a: Template, b: Template) => Number(b.category === 'examples') - Number(a.category === 'examples')

// TemplateList is the catalogue. Its filters are in the URL.
export function TemplateList() {
  const [, navigate] = useLocation()
  const params = new URLSearchParams(useSearch())
  const category = params.get('category') ?? ''
  const q = params.get('q') ?? ''
  const list = useTemplates()
  const all = [...(list.data?.templates ?? [])].sort(first)
  const categories = [...new Set(all.map((t) => t.category))].sort()
  const words = q.toLowerCase()
  const shown = all.filter((t) => (!category || t.category === category) && (!words || `${t.name}\n${t.description}`.toLowerCase().includes(words)))
  const set = (change: Record<string, string | undefined>) => navigate(to('/templates', { category, q, ...change }), { replace: true })
  return (
    <>
      <Title text={strings.title} />
      <form className="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <label>{strings.search} <input type="search" value={q} onChange={(e) => set({ q: e.target.value || undefined })} /></label>
        <label>{strings.category} <select value={category} onChange={(e) => set({ category: e.target.value || undefined })}>
          <option value="">{strings.all}</option>{categories.map((c) => <option key={c}>{c}</option>)}
        </select></label>
      </form>
      {list.error ? <Problem error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isLoading ? <Loading /> : null}
      {list.data && shown.length === 0 ? all.length > 0
        ? <Empty title={shared.noMatch}><button type="button" onClick={() => navigate('/templates', { replace: true })}>{shared.clear}</button></Empty>
        : <Empty title={strings.none}><p>{strings.noneHelp}</p></Empty> : null}
      <ul className="cards">{shown.map((t) => <Card key={t.id} t={t} />)}</ul>
    </>
  )
}
