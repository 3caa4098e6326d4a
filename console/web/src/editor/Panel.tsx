import type { Source } from '../api/versions'
import type { StepNode } from '../layout/definition'
import type { Read } from '../yaml/document'
import type { Edit } from '../yaml/edit'
import type { Schema } from '../yaml/schema'
import { StepForm } from './StepForm'
import { strings } from './strings'
import { DryRun, TestStep } from './Try'

interface Props { slug: string; panel: string; onPanel: (p: string) => void; read: Read; step: StepNode | undefined; schema: Schema | undefined; disabled: boolean; edit: (e: Edit) => void; inText: (pointer: string) => void; source: () => Source }

const tabs: [string, string][] = [['step', strings.step], ['test', strings.test], ['run', strings.run]]

// Panel is what can be done with the step that one is in, and with the whole.
export function Panel({ slug, panel, onPanel, read, step, schema, disabled, edit, inText, source }: Props) {
  const chosen = step ? null : <p className="faint">{strings.chooseStep}</p>
  return (
    <section className="panel step-panel" aria-label={strings.step}>
      <div className="tabs" role="tablist" aria-label="Panel">
        {tabs.map(([key, name]) => <button key={key} type="button" role="tab" id={`panel-${key}`} aria-selected={panel === key} aria-controls="panel" onClick={() => onPanel(key)}>{name}</button>)}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby={`panel-${panel}`}>
        {panel === 'run' ? <DryRun slug={slug} source={source} /> : null}
        {panel === 'test' ? chosen ?? (step ? <TestStep key={step.id} slug={slug} step={step.id} inLoop={step.parent !== null} source={source} /> : null) : null}
        {panel !== 'run' && panel !== 'test' ? chosen ?? (step && schema ? <StepForm read={read} step={step} schema={schema} disabled={disabled} edit={edit} inText={inText} /> : null) : null}
      </div>
    </section>
  )
}
