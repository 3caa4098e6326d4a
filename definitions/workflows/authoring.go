package workflows

import (
	"heddle/fault"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// Limits of what stands beside a definition, in characters and counts.
const (
	maxTags          = 50
	maxTag           = 64
	maxChangeSummary = 2000
)

var (
	slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	idForm   = regexp.MustCompile(`^([a-z]+_)?[0-9a-f]{24}$`)
)

// reservedSlugs are words that a path of the API takes for itself.
func reservedSlugs() []string {
	return []string{"workflows", "runs", "templates", "schedules", "validate", "_runner", "search", "export", "import"}
}

// Known tells whether s is one of the four statuses.
func (s Status) Known() bool {
	return s == Draft || s == Active || s == Paused || s == Archived
}

func knownTrigger(t string) bool {
	return slices.Contains([]string{"manual", "schedule", "webhook", "api", "event"}, t)
}

// CheckSlug tells whether a slug may be taken; the error is
// fault.Unacceptable invalid_slug.
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
// comes from elsewhere, and gives its tags in order. Errors as of Create.
func CheckImported(w Workflow) (tags []string, err error) {
	if w.Slug != w.ID {
		if err := CheckSlug(w.Slug); err != nil {
			return nil, err
		}
	}
	if !w.Status.Known() {
		return nil, errStatus(w.Status)
	}
	if !knownTrigger(w.TriggerType) {
		return nil, errTrigger(w.TriggerType)
	}
	return checkTags(w.Tags)
}

func checkCreate(req CreateRequest) error {
	if req.Slug != "" {
		if err := CheckSlug(req.Slug); err != nil {
			return err
		}
	}
	if req.Status != "" && !req.Status.Known() {
		return errStatus(req.Status)
	}
	if req.TriggerType != "" && !knownTrigger(req.TriggerType) {
		return errTrigger(req.TriggerType)
	}
	return CheckChangeSummary(req.ChangeSummary)
}

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

func errStatus(s Status) error {
	return fault.New(fault.Unacceptable, "invalid_status", "status must be draft, active, paused or archived, not %q.", s)
}

func errTrigger(t string) error {
	return fault.New(fault.Unacceptable, "invalid_trigger_type",
		"trigger_type must be manual, schedule, webhook, api or event, not %q.", t)
}

// CheckChangeSummary refuses a text that is too long: fault.Unacceptable
// invalid_change_summary.
func CheckChangeSummary(text string) error {
	if utf8.RuneCountInString(text) > maxChangeSummary {
		return fault.New(fault.Unacceptable, "invalid_change_summary",
			"change_summary has at most %d characters.", maxChangeSummary)
	}
	return nil
}

// checkTags drops repeated tags and refuses too many, empty and unprintable
// ones. The result is never nil.
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
