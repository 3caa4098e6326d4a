package validation

import (
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// retryValidator checks what a step retries, and when.
type retryValidator struct{ *pass }

// check checks what the fields of a step's retry say together. Entries are
// compared over both lists: one in on and except alike could not mean
// anything.
func (v *retryValidator) check(e *entry) {
	at := e.node.Member("retry")
	if at == nil || at.Kind != source.Object || e.step.Retry == nil {
		return
	}
	v.longestDelay(e, at)
	named := map[string]*source.Node{}
	v.patterns(e, at.Member("on"), "on", named)
	v.patterns(e, at.Member("except"), "except", named)
}

// longestDelay refuses a first delay that max_delay_seconds, or its default,
// would cut short.
func (v *retryValidator) longestDelay(e *entry, at *source.Node) {
	r, delay := e.step.Retry, at.Member("delay_seconds")
	// A delay that was refused is absent from the decoded retry.
	if r.DelaySeconds == nil || delay == nil {
		return
	}
	if most := at.Member("max_delay_seconds"); r.MaxDelaySeconds != nil && *r.DelaySeconds > *r.MaxDelaySeconds {
		v.finds.Error(source.InvalidValue, delay, "'delay_seconds' in the retry of step '%s' is %s, more than max_delay_seconds (%s); raise that, or lower this",
			e.name(), source.Clip(delay.Text), source.Clip(most.Text)).WithRelated(most)
	} else if most == nil && *r.DelaySeconds > definitions.DefaultMaxDelaySeconds {
		v.finds.Error(source.InvalidValue, delay, "'delay_seconds' in the retry of step '%s' is %s, more than max_delay_seconds, which is %d where it is not given; give it too",
			e.name(), source.Clip(delay.Text), definitions.DefaultMaxDelaySeconds)
	}
}

// patterns checks retry.on or retry.except (field), and adds its sound
// entries to named, by their canonical text. Entries that are there already
// are refused.
func (v *retryValidator) patterns(e *entry, at *source.Node, field string, named map[string]*source.Node) {
	if at == nil || at.Kind == source.Bad {
		return
	}
	what := "'" + field + "' in the retry of step '" + e.name() + "'"
	switch {
	case at.Kind != source.Array:
		v.finds.Error(source.WrongType, at, "%s must be a list such as [503, \"5xx\", \"exit_code:2\", \"connection_failed\"], not %s", source.Capitalize(what), at.Kind)
		return
	case len(at.Kids) == 0:
		v.finds.Error(source.InvalidValue, at, "%s is empty; name what is meant, or leave the field out", source.Capitalize(what))
	case len(at.Kids) > definitions.MaxFailurePatterns:
		v.finds.Error(source.LimitExceeded, at, "%s has %d items; %d are allowed", source.Capitalize(what), len(at.Kids), definitions.MaxFailurePatterns)
		return
	}
	// Only sound entries are compared, so that one mistake has one message.
	for _, item := range at.Kids {
		if item.Kind == source.Bad || !v.pattern(e, item, field, what) {
			continue
		}
		key := item.Text
		if f, err := strconv.ParseFloat(key, 64); err == nil { // 503, "503" and 503.0
			key = strconv.Itoa(int(f))
		}
		if first := named[key]; first != nil {
			v.finds.Error(source.InvalidValue, item, "%s names %s, which is named before; remove one of them", source.Capitalize(what), source.Clip(item.Text)).WithRelated(first)
			continue
		}
		named[key] = item
	}
}

// pattern checks one entry and reports whether it can be used. An error code
// that is never tried again is refused in on, and may stand in except.
func (v *retryValidator) pattern(e *entry, item *source.Node, field, what string) bool {
	const want = "a status (503), a class of statuses (\"5xx\"), an exit code (\"exit_code:2\") or an error code (connection_failed)"
	switch item.Kind {
	case source.Number:
		if f, err := strconv.ParseFloat(item.Text, 64); err == nil && definitions.IsStatus(f) && exactjson.IsWhole(item.Text) {
			v.neverFails(e, item, definitions.FailurePattern{Status: int(f)}, what)
			return true
		}
		v.finds.Error(source.InvalidValue, item, "%s names %s, which is not an HTTP status (100 to 599); an exit code reads \"exit_code:2\"", source.Capitalize(what), source.Clip(item.Text))
		return false
	// {exit_code: 2} is what authors of other products try.
	case source.Object:
		f := v.finds.Error(source.WrongType, item, "%s lists an object, but each entry is %s", source.Capitalize(what), want)
		if n := item.Member("exit_code"); n != nil && n.Kind == source.Number && definitions.ExitCodePattern.MatchString("exit_code:"+n.Text) {
			f.DidYouMean("exit_code:" + n.Text)
		}
		return false
	case source.String:
	default:
		v.finds.Error(source.WrongType, item, "%s lists %s, but each entry is %s", source.Capitalize(what), item.Kind, want)
		return false
	}
	p, ok := definitions.ParseFailurePattern(item.Text)
	switch {
	case !ok:
		v.finds.Error(source.InvalidValue, item, "%s names '%s', but each entry is %s", source.Capitalize(what), source.Clip(item.Text), want).DidYouMean(v.likelyPattern(item.Text))
	case field == "on" && definitions.FinalFailure(p.Code):
		v.finds.Error(source.InvalidValue, item, "%s names %s, which is never tried again; remove it", source.Capitalize(what), p.Code)
		return false
	case p.ExitCode != nil && *p.ExitCode == 0:
		v.finds.Error(source.InvalidValue, item, "%s names exit_code:0, with which a script has succeeded; remove it", source.Capitalize(what))
		return false
	// An exit code has eight bits.
	case p.ExitCode != nil && *p.ExitCode > 255:
		v.finds.Error(source.InvalidValue, item, "%s names %s, and exit codes are 1 to 255", source.Capitalize(what), source.Clip(item.Text))
		return false
	default:
		v.neverFails(e, item, p, what)
	}
	return ok
}

// neverFails warns of a status or exit code where the step's type reports the
// other kind. A type that reports neither takes part in both.
func (v *retryValidator) neverFails(e *entry, item *source.Node, p definitions.FailurePattern, what string) {
	reports := definitions.TraitsIn(v.types.catalog, e.step.Type).Reports
	switch {
	case p.ExitCode != nil && reports == definitions.ReportsStatus:
		v.finds.Warn(source.NeverTrue, item, "%s names %s, and a step of type %s has no exit code; write a status such as 503, or an error code", source.Capitalize(what), source.Clip(item.Text), e.step.Type)
	case (p.Status > 0 || p.StatusClass > 0) && reports == definitions.ReportsExitCode:
		v.finds.Warn(source.NeverTrue, item, "%s names %s, and a %s has no HTTP status; write \"exit_code:2\", or an error code", source.Capitalize(what), source.Clip(item.Text), e.step.Type)
	}
}

var (
	// What people write for a class of statuses ("5**", "4xx errors") and for
	// an exit code ("exit 2", "exit-code=2").
	classText    = regexp.MustCompile(`(?i)^([1-5])(xx|\*\*|\*|xx errors?)$`)
	exitCodeText = regexp.MustCompile(`(?i)^exit[ _-]?(?:code)?[ :=_-]*([0-9]{1,10})$`)
)

// likelyPattern returns what was probably meant by an entry that is not one;
// "": unknown.
func (v *retryValidator) likelyPattern(written string) string {
	written = strings.TrimSpace(written)
	if len(written) > 64 {
		return ""
	}
	if definitions.StatusPattern.MatchString(written) {
		return written // less its spaces
	}
	if m := classText.FindStringSubmatch(written); m != nil {
		return m[1] + "xx"
	}
	if m := exitCodeText.FindStringSubmatch(written); m != nil {
		return "exit_code:" + m[1]
	}
	return v.nearest(written, func() []string { return definitions.RetryableFailures })
}
