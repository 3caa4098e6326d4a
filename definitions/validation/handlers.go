package validation

import "heddle/definitions/source"

// handler checks what holds for steps of on_failure and finally alone, loop
// bodies included: they are not compensated, and a wait in them must end by
// itself, because the run cannot end before they have.
func (v *settingsValidator) handler(e *entry) {
	part := v.graph.parts[e.list]
	if part == mainPart {
		return
	}
	if at := e.node.Member("compensate"); at != nil && at.Kind != source.Bad {
		v.finds.Error(source.InvalidValue, at, "Step '%s' is in %s, whose steps are not undone; remove compensate", e.name(), part)
	}
	w, config := e.step.Wait, e.node.Member("config")
	if w == nil || config == nil || config.Kind != source.Object {
		return
	}
	endless := config.Member("signal") != nil || config.Member("condition") != nil
	if endless && !(w.TimeoutSeconds > 0) && !(e.step.TimeoutSeconds > 0) && config.Pick("timeout_seconds").Kind != source.Bad {
		v.finds.Error(source.InvalidValue, config, "Wait '%s' is in %s and could keep the run from ending; give it timeout_seconds", e.name(), part)
	}
}
