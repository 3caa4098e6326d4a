package workflows

import (
	"heddle/definitions"
	"heddle/fault"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// Limits of what stands beside a definition, in characters and counts.
const (
	// They are not limits of the definition, so their errors name the
	// request's field.
	maxTags          = 50   // of one workflow, repeated ones counted once
	maxTag           = 64   // characters
	maxChangeSummary = 2000 // characters
)

var (
	// A slug and an id stand in the same place of a path. idForm is what ids
	// look like, so that no slug can hide a workflow of that id.
	slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	idForm   = regexp.MustCompile(`^([a-z]+_)?[0-9a-f]{24}$`)
)

// reservedSlugs returns the words that a path of the API takes for itself in
// the place of a workflow's id or slug.
func reservedSlugs() []string {
	return []string{"workflows", "runs", "templates", "schedules", "validate", "_runner", "search", "export", "import", "drafts", "diff", "dry-run", "approvals", "jobs", "bulk"}
}

// known reports whether s is one of the four statuses; "" is not.
func (s Status) known() bool {
	return s == Draft || s == Active || s == Paused || s == Archived
}

// knownTrigger reports whether t is a trigger type; "" is not.
func knownTrigger(t string) bool { return slices.Contains(definitions.Triggers(), t) }

// CheckSlug returns nil for a slug that may be taken, else fault.Unacceptable
// invalid_slug. Whether another workflow has it is for the store to say.
func CheckSlug(slug string) error {
	switch {
	case !slugForm.MatchString(slug):
		return fault.New(fault.Unacceptable, "invalid_slug",
			"A slug is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit.")
	case slices.Contains(reservedSlugs(), slug):
		return fault.New(fault.Unacceptable, "invalid_slug", "The slug %q is reserved; choose another.", slug)
	case idForm.MatchString(slug):
		return fault.New(fault.Unacceptable, "invalid_slug", "A slug must not look like an id; choose another than %q.", slug)
	}
	return nil
}

// CheckImported checks what stands beside the definitions of a workflow that
// comes from elsewhere, and returns its tags without repetitions. A slug that
// is the workflow's id was never chosen and is not checked. Errors as of
// Create.
func CheckImported(w Workflow) (tags []string, err error) {
	if w.Slug != w.ID {
		if err := CheckSlug(w.Slug); err != nil {
			return nil, err
		}
	}
	if !w.Status.known() {
		return nil, errStatus(w.Status)
	}
	if !knownTrigger(w.TriggerType) {
		return nil, errTrigger(w.TriggerType)
	}
	return checkTags(w.Tags)
}

// checkCreate checks the fields of a new workflow beside its definition and
// tags; empty ones take their defaults.
func checkCreate(req CreateRequest) error {
	if req.Slug != "" {
		if err := CheckSlug(req.Slug); err != nil {
			return err
		}
	}
	if req.Status != "" && !req.Status.known() {
		return errStatus(req.Status)
	}
	if req.TriggerType != "" && !knownTrigger(req.TriggerType) {
		return errTrigger(req.TriggerType)
	}
	return CheckChangeSummary(req.ChangeSummary)
}

// checkUpdate checks the fields that are to change, and replaces the
// request's tags by the ones to store.
func checkUpdate(req *UpdateRequest) error {
	if req.TriggerType != nil && !knownTrigger(*req.TriggerType) {
		return errTrigger(*req.TriggerType)
	}
	if req.Tags != nil {
		tags, err := checkTags(req.Tags)
		if err != nil {
			return err
		}
		req.Tags = tags
	}
	return CheckChangeSummary(req.ChangeSummary)
}

// errStatus is fault.Unacceptable invalid_status.
func errStatus(s Status) error {
	return fault.New(fault.Unacceptable, "invalid_status", "status must be draft, active, paused or archived, not %q.", s)
}

// errTrigger is fault.Unacceptable invalid_trigger_type.
func errTrigger(t string) error {
	return fault.New(fault.Unacceptable, "invalid_trigger_type",
		"trigger_type must be manual, schedule, webhook, api or event, not %q.", t)
}

// CheckChangeSummary returns fault.Unacceptable invalid_change_summary for a
// text of more than maxChangeSummary characters.
func CheckChangeSummary(text string) error {
	if utf8.RuneCountInString(text) > maxChangeSummary {
		return fault.New(fault.Unacceptable, "invalid_change_summary",
			"change_summary has at most %d characters.", maxChangeSummary)
	}
	return nil
}

// CheckStatus returns fault.Unacceptable invalid_status for what is not a status.
func CheckStatus(s Status) error {
	if !s.known() {
		return errStatus(s)
	}
	return nil
}

// CheckTags returns fault.Unacceptable invalid_tags for a list that no workflow could have.
func CheckTags(tags []string) error {
	_, err := checkTags(tags)
	return err
}

// checkTags returns the tags without repetitions, in their order; never nil.
// Too many, empty, unprintable or padded ones are fault.Unacceptable
// invalid_tags.
func checkTags(tags []string) ([]string, error) {
	out := make([]string, 0, len(tags))
	for _, t := range tags {
		n := utf8.RuneCountInString(t)
		bad := n < 1 || n > maxTag || strings.TrimSpace(t) != t ||
			strings.ContainsFunc(t, func(r rune) bool { return !unicode.IsPrint(r) })
		if bad {
			return nil, fault.New(fault.Unacceptable, "invalid_tags",
				"A tag has 1 to %d printable characters and no space at either end; %q does not.", maxTag, t)
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
		if len(out) > maxTags {
			return nil, fault.New(fault.Unacceptable, "invalid_tags", "A workflow has at most %d tags.", maxTags)
		}
	}
	return out, nil
}
