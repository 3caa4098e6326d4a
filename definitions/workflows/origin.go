package workflows

import "encoding/json"

// Origin says which version of a template a workflow was made of, and how. It
// is kept with the workflow, so that an update of the template can be merged
// into what the author has changed since.
type Origin struct {
	TemplateID string          // the template's id
	Version    int             // of the template, from 1
	Name       string          // the name that was requested; "": the template's own
	Parameters json.RawMessage // those that were given
	Definition json.RawMessage // what they made, in canonical form: the base of later merges
}
