package definitions

// schemas checks the JSON Schemas inside of the definition.
func (v *validator) schemas() {
	v.schema(v.doc.root.member("input"), "'input'")
	v.defaults(v.doc.root.member("input"))
	for _, e := range v.graph.entries {
		v.schema(e.node.member("output_schema"), "'output_schema' of step '"+e.name()+"'")
		if e.step.Wait != nil {
			v.schema(e.node.pick("config", "signal").member("schema"), "the signal's schema of wait '"+e.name()+"'")
		}
	}
}

// schema reports what is wrong with one schema. Equal texts are compiled once.
func (v *validator) schema(at *node, what string) {
	if at == nil || at.kind != object || !at.readable() {
		return
	}
	raw := v.doc.raw(at)
	faults, known := v.schemaTexts[string(raw)]
	if !known {
		if !v.affordable(at, what) {
			return
		}
		checker, err := NewValueChecker(raw)
		if err != nil {
			faults = schemaFaults(err, at)
		} else if !v.patternsFit(checker.instructions, at, what) {
			return
		}
		v.schemaTexts[string(raw)] = faults
	}
	for _, f := range faults {
		v.finds.error(SchemaInvalid, at.follow(f.pointer), "%s is not a JSON Schema (2020-12) that can be used: %s", sentence(what), f.text).hint(f.suggest)
	}
	v.schemaHints(at, what, 0)
}

// patternsFit takes the instructions of a schema's patterns from those that the
// definition may have. Only the first schema beyond them is reported.
func (v *validator) patternsFit(instructions int, at *node, what string) bool {
	left := v.budget.Patterns
	v.budget.Patterns -= instructions
	if left >= 0 && v.budget.Patterns < 0 {
		v.finds.error(LimitExceeded, at, "The patterns of the definition have more than %d instructions together up to %s; use fewer of them, or smaller repetitions", maxPatterns, what)
	}
	return v.budget.Patterns >= 0
}

// defaults reports defaults of the input schema that no start could put in.
func (v *validator) defaults(at *node) {
	if at == nil || at.kind != object || !at.readable() {
		return
	}
	checker, err := NewValueChecker(v.doc.raw(at))
	if err != nil || checker.defaults == nil {
		return
	}
	if _, err := checker.Fill(nil); err != nil {
		v.finds.error(SchemaInvalid, at, "'input' cannot be used: %s", err)
	}
}

// affordable counts the subschemas of a schema that is about to be compiled,
// and reports whether the definition may have as many. A schema that is too
// large alone is for compiling to refuse.
func (v *validator) affordable(at *node, what string) bool {
	if at == nil {
		return true
	}
	if v.subschemas > MaxAllSubschemas {
		return false // said already
	}
	v.subschemas += min(at.objects(), MaxSubschemas+1)
	if v.subschemas <= MaxAllSubschemas {
		return true
	}
	v.finds.error(LimitExceeded, at, "The schemas of the definition have more than %d subschemas up to %s; describe less", MaxAllSubschemas, what)
	return false
}

// objects counts those in a tree.
func (n *node) objects() int {
	count := 0
	if n.kind == object {
		count = 1
	}
	for _, kid := range n.kids {
		count += kid.objects()
	}
	return count
}
