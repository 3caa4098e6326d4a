package advice

import (
	"heddle/definitions/source"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Examples are what stands in a field, by its name, for messages about a
// value of another type. They are flow YAML, which fits on one line.
var Examples = map[string]string{
	"retry":         "{max_attempts: 3, delay_seconds: 5}",
	"concurrency":   "{limit: 3}",
	"compensate":    "{type: …, config: {…}}",
	"signal":        "{name: approved}",
	"probe":         "{type: http_request, config: {url: …}}",
	"input":         "{type: object, properties: {name: {type: string}}}",
	"output_schema": "{type: object, properties: {name: {type: string}}}",
	"schema":        "{type: object, properties: {name: {type: string}}}",
	"auth":          `{type: bearer, token: "{{ secrets.NAME }}"}`,
	"headers":       "{Accept: application/json}",
	"query":         "{page: 1}",
	"form":          "{name: value}",
	"env":           "{NAME: value}",
	"cases":         "[{when: input.ok, then: [id]}]",
	"steps":         "[{id: a, type: script, config: {script: …}}]",
	"on_failure":    "[{id: a, type: script, config: {script: …}}]",
	"finally":       "[{id: a, type: script, config: {script: …}}]",
	"args":          `["a", "b"]`,
}

// ConfigExamples are configs by step type, in flow YAML.
var ConfigExamples = map[string]string{
	"http_request": "{url: https://…}",
	"webhook":      "{url: https://…, event: …, payload: …}",
	"script":       "{script: …}",
	"agent_task":   "{agent_id: …, goal: …}",
	"condition":    "{expression: input.ok, then: [ids], else: [ids]}",
	"loop":         "{items: input.list, steps: [the body]}",
	"wait":         "{seconds: 60}, or {signal: {name: approved}}",
}

// SuggestFix adds to the diagnostic of a wrong type what to write, where the
// value or the field shows it. had is the type of the value n, whose Kind may
// have been changed since; name is the field, "" for an item of a list; want
// is the type in words, with its article.
func SuggestFix(d *source.Diagnostic, n *source.Node, had source.Kind, name, want string) {
	switch {
	case (want == "a number" || want == "a whole number") && had == source.String:
		if seconds := durationOf(n.Text); seconds != "" {
			d.WithSuggestion(seconds).Message += ". Write " + seconds + ", in seconds"
		}
		return
	// One id in the place of a list of ids. Steps are never text.
	case want == "a list" && had == source.String && n.Text != "" && len(n.Text) <= 64 && name != "steps" && name != "cases":
		d.WithSuggestion("[" + n.Text + "]").Message += ". Write [" + source.Clip(n.Text) + "]"
		return
	// A mapping of dependencies, as compose files have them.
	case want == "a list" && had == source.Object && name == "depends_on" && len(n.Keys) > 0 && len(n.Keys) <= 5:
		write := "[" + source.Clip(strings.Join(n.Keys, ", ")) + "]"
		d.WithSuggestion(write).Message += ". Write " + write
		return
	// An item of a list of ids that is an object: the id is in it under some
	// name.
	case want == "text" && had == source.Object && name == "":
		for _, word := range []string{"id", "step_id", "stepId", "key", "step", "ref", "node", "task", "goto", "name"} {
			if id := source.TextOf(n.Member(word)); id != "" {
				d.WithSuggestion(id).Message += ". Write the id of a step that stands in steps: " + source.Clip(id)
				return
			}
		}
		return
	case want == "a list" && had == source.Object && n.Member("steps") != nil && (name == "on_failure" || name == "finally"):
		d.Message += ". Write the list itself, without steps"
		return
	// Lines of a script, one item each.
	case want == "text" && had == source.Array:
		d.Message += ". Write one text; in YAML | begins one of several lines"
		return
	}
	example := Examples[name]
	if name == "config" && n.Parent != nil {
		example = ConfigExamples[source.TextOf(n.Parent.Member("type"))]
	}
	if example != "" && (want == "an object" && example[0] == '{' || want == "a list" && example[0] == '[') {
		d.Message += ". Write " + example
	}
}

// isoDuration matches a duration of ISO 8601 with days, hours, minutes and
// seconds.
var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// durationOf reads a duration such as 5m, 1h30m, PT5M or "5 minutes" as a
// number of seconds; "" for what is not a duration. Months and years have no
// fixed length and are not read.
func durationOf(s string) string {
	s = strings.TrimSpace(s)
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	// P and PT match as well, hence the length.
	if m := isoDuration.FindStringSubmatch(s); m != nil && len(s) > 2 {
		total := 0
		for i, unit := range []int{86_400, 3_600, 60, 1} {
			n, _ := strconv.Atoi(m[i+1])
			total += n * unit
		}
		return strconv.Itoa(total)
	}
	// With a space, or without one where the digits end.
	number, unit, ok := strings.Cut(s, " ")
	if !ok {
		i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 {
			return ""
		}
		number, unit = s[:i], s[i:]
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 1_000_000 {
		return ""
	}
	for name, seconds := range map[string]int{"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3_600, "hr": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400, "week": 604_800} {
		if u := strings.ToLower(strings.TrimSpace(unit)); u == name || u == name+"s" {
			return strconv.Itoa(n * seconds)
		}
	}
	return ""
}

// FieldOf returns the field that a message is about, which it begins with,
// "retry" of "'retry' in step 'a'"; "" where it begins with something else.
func FieldOf(what string) string {
	if !strings.HasPrefix(what, "'") {
		return ""
	}
	name, _, _ := strings.Cut(what[1:], "'")
	return name
}
