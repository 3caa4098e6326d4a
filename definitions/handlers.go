package definitions

// handler checks what holds for steps of on_failure and finally alone, loop
// bodies included.
func (v *validator) handler(e *entry) {
	part := v.graph.parts[e.list]
	if part == mainPart {
		return
	}
	if at := e.node.member("compensate"); at != nil && at.kind != bad {
		v.finds.error(InvalidValue, at, "Step '%s' is in %s, whose steps are not undone; remove compensate", e.name(), part)
	}
	w, config := e.step.Wait, e.node.member("config")
	if w == nil || config == nil || config.kind != object {
		return
	}
	endless := config.member("signal") != nil || config.member("condition") != nil
	if endless && !(w.TimeoutSeconds > 0) && !(e.step.TimeoutSeconds > 0) && config.pick("timeout_seconds").kind != bad {
		v.finds.error(InvalidValue, config, "Wait '%s' is in %s and could keep the run from ending; give it timeout_seconds", e.name(), part)
	}
}
