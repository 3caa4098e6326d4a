package definitions

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// examples are what stands in a field, for messages about a value of another
// type.
var examples = map[string]string{
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

// configExamples are configs by type.
var configExamples = map[string]string{
	"http_request": "{url: https://…}",
	"webhook":      "{url: https://…, event: …, payload: …}",
	"script":       "{script: …}",
	"agent_task":   "{agent_id: …, goal: …}",
	"condition":    "{expression: input.ok, then: [ids], else: [ids]}",
	"loop":         "{items: input.list, steps: [the body]}",
	"wait":         "{seconds: 60}, or {signal: {name: approved}}",
}

// mend adds to the finding of a wrong type what to write, where the value or
// the field says it. had is the value's type; name is the field, "" an item.
func (d *finding) mend(n *node, had jsonType, name, want string) {
	switch {
	case (want == "a number" || want == "a whole number") && had == text:
		if seconds := durationOf(n.text); seconds != "" {
			d.hint(seconds).Message += ". Write " + seconds + ", in seconds"
		}
		return
	case want == "a list" && had == text && n.text != "" && len(n.text) <= 64 && name != "steps" && name != "cases":
		d.hint("[" + n.text + "]").Message += ". Write [" + clip(n.text) + "]"
		return
	case want == "a list" && had == object && name == "depends_on" && len(n.keys) > 0 && len(n.keys) <= 5:
		write := "[" + clip(strings.Join(n.keys, ", ")) + "]"
		d.hint(write).Message += ". Write " + write
		return
	case want == "text" && had == object && name == "":
		for _, word := range []string{"id", "step_id", "stepId", "key", "step", "ref", "node", "task", "goto", "name"} {
			if id := textOf(n.member(word)); id != "" {
				d.hint(id).Message += ". Write the id of a step that stands in steps: " + clip(id)
				return
			}
		}
		return
	case want == "a list" && had == object && n.member("steps") != nil && (name == "on_failure" || name == "finally"):
		d.Message += ". Write the list itself, without steps"
		return
	case want == "text" && had == array:
		d.Message += ". Write one text; in YAML | begins one of several lines"
		return
	}
	example := examples[name]
	if name == "config" && n.parent != nil {
		example = configExamples[textOf(n.parent.member("type"))]
	}
	if example != "" && (want == "an object" && example[0] == '{' || want == "a list" && example[0] == '[') {
		d.Message += ". Write " + example
	}
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// durationOf reads a duration such as 5m, 1h30m, PT5M or "5 minutes" as seconds;
// "": it is none.
func durationOf(s string) string {
	s = strings.TrimSpace(s)
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	if m := isoDuration.FindStringSubmatch(s); m != nil && len(s) > 2 {
		total := 0
		for i, unit := range []int{86_400, 3_600, 60, 1} {
			n, _ := strconv.Atoi(m[i+1])
			total += n * unit
		}
		return strconv.Itoa(total)
	}
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

// fieldOf is the field that a message is about, which it begins with: 'retry'
// in step 'a'.
func fieldOf(what string) string {
	if !strings.HasPrefix(what, "'") {
		return ""
	}
	name, _, _ := strings.Cut(what[1:], "'")
	return name
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// idFrom makes an id of a name.
func idFrom(name string) string {
	id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if len(id) > 64 {
		id = strings.TrimRight(id[:64], "_")
	}
	if !idPattern.MatchString(id) {
		return ""
	}
	return id
}
