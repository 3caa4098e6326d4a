package templates

import (
	"encoding/json"
	"heddle/fault"
)

// Take is which value a Resolution takes.
type Take string

// The values that there are: what people made of it, what the template has now, or the one of
// the resolution.
const (
	TakeEdited Take = "edited"
	TakeNew    Take = "new"
	TakeValue  Take = "value"
)

// Resolution decides one conflict, which it names as Conflict does. A value that is missing on
// the side that is taken is removed.
type Resolution struct {
	StepID *string
	Path   string
	Take   Take
	Value  json.RawMessage // with TakeValue alone
}

// MaxResolutions is how many conflicts one merge decides at most.
const MaxResolutions = 1000

// resolutions are those of a merge, by where they are.
type resolutions map[place]*resolution

// place is where a conflict is; step is empty beside the steps, whose ids are not.
type place struct{ step, path string }

// placeOf returns the place of a conflict or a resolution.
func placeOf(step *string, path string) place {
	if step == nil {
		return place{"", path}
	}
	return place{*step, path}
}

// resolution is one of them, with its value decoded; used: it has decided a conflict.
type resolution struct {
	Resolution
	value optional
	used  bool
}

// readResolutions checks resolutions: fault.Unacceptable invalid_resolution for one that takes
// nothing known, has a value where it takes a side, or decides what another one decides.
func readResolutions(list []Resolution) (resolutions, error) {
	if len(list) > MaxResolutions {
		return nil, invalidResolution("There are %d resolutions; at most %d are taken.", len(list), MaxResolutions)
	}
	all := make(resolutions, len(list))
	for _, r := range list {
		at := placeOf(r.StepID, r.Path)
		switch {
		case r.StepID != nil && *r.StepID == "":
			return nil, invalidResolution("step_id is empty; leave it out for what stands beside the steps.")
		case r.Take != TakeEdited && r.Take != TakeNew && r.Take != TakeValue:
			return nil, invalidResolution("take must be edited, new or value, not %q.", r.Take)
		case (r.Value != nil) != (r.Take == TakeValue):
			return nil, invalidResolution("value goes with take value, and with that alone.")
		case all[at] != nil:
			return nil, invalidResolution("Two resolutions are of %s.", at)
		}
		all[at] = &resolution{Resolution: r}
		if r.Value != nil {
			v, err := decode(r.Value)
			if err != nil {
				return nil, err
			}
			all[at].value = present(v)
		}
	}
	return all, nil
}

// take returns what the resolution of a conflict takes, and whether there is one.
func (all resolutions) take(at location, t threeWay) (optional, bool) {
	r := all[placeOf(at.step, at.path)]
	if r == nil {
		return optional{}, false
	}
	r.used = true
	switch r.Take {
	case TakeNew:
		return t.next, true
	case TakeValue:
		return r.value, true
	case TakeEdited:
	}
	return t.edited, true
}

// unused refuses resolutions that have decided nothing: what they are of is no conflict any
// more, or never was.
func (all resolutions) unused() error {
	for at, r := range all {
		if !r.used {
			return invalidResolution("There is no conflict at %s; ask for the conflicts again with dry_run=true.", at)
		}
	}
	return nil
}

// String returns the place in words.
func (p place) String() string {
	if p.step == "" {
		return "\"" + p.path + "\" of the definition"
	}
	return "\"" + p.path + "\" of step " + p.step
}

// invalidResolution returns fault.Unacceptable invalid_resolution.
func invalidResolution(format string, args ...any) error {
	return fault.New(fault.Unacceptable, "invalid_resolution", format, args...)
}
