package schedules

import (
	"fmt"
	"heddle/fault"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	regexp "heddle/internal/lazyregexp"
)

// Limits of an expression.
const (
	maxExpression = 256
	// MinInterval is the shortest interval of @every.
	MinInterval = time.Minute
	maxInterval = 10 * 366 * 24 * time.Hour
)

// Spec is a parsed expression: the local times that it matches, or an interval.
// The zero Spec matches nothing. It is immutable and safe for concurrent use.
type Spec struct {
	// source is the expression as String returns it.
	source string
	every  time.Duration // of @every; 0: the fields count

	minute, hour, dom, month, dow uint64 // one bit per value
	// anyDom and anyDow: the day field is * (or ?) alone. Where neither is, a day
	// that matches either field is due (POSIX).
	anyDom, anyDow bool
	// wildcardHour: the hour holds * or /, so the times follow elapsed time and a
	// changing clock neither adds nor moves one.
	wildcardHour bool
}

// String returns the expression as it was written, without surrounding spaces;
// @every with its interval in Go's form, so that 90m is 1h30m0s.
func (s Spec) String() string { return s.source }

// field is one of the five fields, with the values that it may hold.
type field struct {
	name      string
	low, high int
	names     string // of the values from low on, three letters each
}

// fields lists the five fields in the order of an expression. Day of week goes to
// 7, because Sunday may be written as 0 or 7.
func fields() [5]field {
	return [5]field{
		{"minute", 0, 59, ""},
		{"hour", 0, 23, ""},
		{"day of month", 1, 31, ""},
		{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
		{"day of week", 0, 7, "sunmontuewedthufrisat"},
	}
}

// starBit is how the parser marks a field of * alone.
const starBit = 1 << 63

// Parse reads five cron fields, a descriptor such as @daily, or @every with an
// interval from MinInterval to ten years in whole seconds. The error is
// fault.Unacceptable invalid_cron; its issue names the field, the column and, where
// it can, the right expression: other schedulers' formats (AWS, Jenkins, Quartz,
// systemd, ISO 8601, plain words) are recognized and translated. An expression that
// never fires, such as "0 0 30 2 *", is invalid_cron too.
func Parse(expression string) (Spec, error) {
	text := strings.TrimSpace(expression)
	switch {
	case text == "":
		return Spec{}, cronError(0, "0 2 * * *", "The expression is empty; give five fields: minute, hour, day of month, month, day of week.")
	case len(text) > maxExpression:
		return Spec{}, cronError(0, "", "The expression has %d characters; %d are the most.", len(text), maxExpression)
	case recurrenceRule.MatchString(text):
		return Spec{}, cronError(1, "", "That is a recurrence rule of iCalendar; a schedule is five fields: minute, hour, day of month, month, day of week.")
	case strings.Contains(text, "="):
		return Spec{}, cronError(strings.Index(text, "=")+1, "", "The zone does not stand in the expression; give it as timezone.")
	case strings.HasPrefix(text, "@every") && !strings.HasPrefix(text, "@every_"):
		return parseEvery(text)
	case strings.HasPrefix(text, "@"):
		return parseDescriptor(text)
	}
	if err := foreignFormatError(text); err != nil {
		return Spec{}, err
	}
	parts := strings.Fields(text)
	if len(parts) != 5 {
		return Spec{}, fieldCountError(parts)
	}
	column := 1 // in the expression as given
	for i, f := range fields() {
		column += strings.Index(expression[column-1:], parts[i])
		checked, err := f.check(parts[i], column)
		if err != nil {
			return Spec{}, err
		}
		column += len(parts[i])
		parts[i] = checked
	}
	s, err := parseFields(strings.Join(parts, " "))
	if err != nil {
		return Spec{}, err
	}
	s.source = text
	return s, s.checkEverFires()
}

// spacedComma matches the spaces around the commas of a list.
var spacedComma = regexp.MustCompile(`\s*,\s*`)

// recurrenceRule matches what every rule of RFC 5545 has.
var recurrenceRule = regexp.MustCompile(`(?i)\bFREQ\s*=`)

// fieldCountError returns the error for an expression that does not have five
// fields, with the likeliest reason: spaces in a list, a zone, a year, seconds.
func fieldCountError(parts []string) error {
	if together := strings.Fields(spacedComma.ReplaceAllString(strings.Join(parts, " "), ",")); len(together) == 5 && len(parts) > 5 {
		right := strings.Join(together, " ")
		return cronError(1, right, "There are %d fields, five are right: a list has no spaces around its commas; write %q.", len(parts), right)
	}
	if len(parts) == 6 && strings.Contains(parts[5], "/") || len(parts) == 6 && parts[5] == "UTC" {
		if _, err := LoadZone(parts[5]); err == nil {
			right := strings.Join(parts[:5], " ")
			return cronError(1, right, "The zone does not stand in the expression; write %q, and give %s as timezone.", right, parts[5])
		}
	}
	if hasTrailingYear(parts) {
		right := fromAWS(parts)
		return cronError(1, right, "There are %d fields, five are right: minute, hour, day of month, month, day of week. The sixth is the year of AWS; drop it at the end: %q.", len(parts), right)
	}
	if len(parts) == 6 || len(parts) == 7 {
		right := strings.Join(parts[1:6], " ")
		return cronError(1, right, "There are %d fields, five are right: minute, hour, day of month, month, day of week. Seconds and years are not scheduled; try %q.", len(parts), right)
	}
	return cronError(1, "", "There are %d fields, five are right: minute, hour, day of month, month, day of week.", len(parts))
}

// parseEvery reads "@every <interval>", the interval as in time.ParseDuration.
func parseEvery(text string) (Spec, error) {
	rest := strings.TrimSpace(strings.TrimPrefix(text, "@every"))
	d, err := time.ParseDuration(rest)
	switch {
	case err != nil:
		return Spec{}, cronError(1, "@every 90m", "@every takes an interval such as 90m or 1h30m, not %q.", rest)
	case d < MinInterval:
		return Spec{}, cronError(1, "@every 1m", "@every takes at least a minute, not %s.", d)
	case d > maxInterval || d%time.Second != 0:
		return Spec{}, cronError(1, "@every 24h", "@every takes whole seconds up to ten years, not %s.", rest)
	}
	return Spec{source: "@every " + d.String(), every: d, wildcardHour: true}, nil
}

// parseDescriptor reads a descriptor such as @daily. Only @hourly follows elapsed
// time; the others have a fixed hour.
func parseDescriptor(text string) (Spec, error) {
	if err := foreignFormatError(text); err != nil {
		return Spec{}, err
	}
	switch text {
	case "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually":
	default:
		return Spec{}, cronError(1, "@daily", "%q is unknown; there are @hourly, @daily, @weekly, @monthly, @yearly and @every.", text)
	}
	s, err := parseFields(text)
	s.source = text
	s.wildcardHour = text == "@hourly"
	return s, err
}

// parseFields hands an expression whose fields were checked to robfig/cron, which
// turns it into bits. Its errors and panics become a plain invalid_cron: check has
// refused everything that it is known to refuse.
func parseFields(text string) (s Spec, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = cronError(0, "", "The expression cannot be read.")
		}
	}()
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(text)
	if err != nil {
		return Spec{}, cronError(0, "", "The expression cannot be read.")
	}
	p, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Spec{}, cronError(0, "", "The expression cannot be read.")
	}
	hour := ""
	if parts := strings.Fields(text); len(parts) == 5 {
		hour = parts[1]
	}
	return Spec{
		source: text, minute: p.Minute &^ starBit, hour: p.Hour &^ starBit, dom: p.Dom &^ starBit,
		month: p.Month &^ starBit, dow: p.Dow &^ starBit,
		anyDom: p.Dom&starBit != 0, anyDow: p.Dow&starBit != 0, wildcardHour: strings.ContainsAny(hour, "*/"),
	}, nil
}

// checkEverFires refuses an expression that matches no day of any year.
func (s Spec) checkEverFires() error {
	// From 1 March 1896 to 29 February 1904 there is no leap day, the longest
	// time without one: what fires at all fires within maxSearchDays of it.
	if _, ok := s.nextWallTime(wallTimeOf(1896, 3, 1)); ok {
		return nil
	}
	return cronError(0, "", "%q never fires: no such day is in any of its months.", s.source)
}

// check checks a field, which begins at a column of the expression, and returns it
// in the form that the parser understands: names as numbers, Sunday as 0.
func (f field) check(text string, column int) (string, error) {
	items := strings.Split(text, ",")
	for i, item := range items {
		checked, problem := f.item(item)
		if problem != "" {
			return "", cronError(column, "", "%s: %s", f.name, problem)
		}
		items[i] = checked
	}
	return strings.Join(items, ","), nil
}

// item checks one of a field's comma-separated items and returns it as the parser
// needs it, or what is wrong with it as the end of a message.
func (f field) item(item string) (checked, problem string) {
	span, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		n, ok := parseNumber(stepText)
		most := f.last() - f.low
		if !ok || n < 1 || n > most {
			return "", fmt.Sprintf("the step %q must be a number from 1 to %d.", stepText, most)
		}
		step = n
	}
	if span == "*" || span == "?" && strings.HasPrefix(f.name, "day") {
		return item, ""
	}
	lowText, highText, ranged := strings.Cut(span, "-")
	low, problem := f.value(lowText)
	if problem != "" {
		return "", problem
	}
	high := low
	switch {
	case ranged:
		if high, problem = f.value(highText); problem != "" {
			return "", problem
		}
		if f.high == 7 && high == 0 && low > 0 {
			high = 7 // a week that ends on Sunday
		}
	case stepped:
		high = f.last()
	}
	if low > high {
		return "", fmt.Sprintf("%s runs backwards; write %d-%d,%d-%d.", span, low, f.last(), f.low, high)
	}
	if high == 7 && f.high == 7 {
		return withSunday(low, step), ""
	}
	if stepped {
		return fmt.Sprintf("%d-%d/%d", low, high, step), ""
	}
	return fmt.Sprintf("%d-%d", low, high), ""
}

// withSunday lists the days from low to Sunday, which is counted as 7 here and
// written as 0: 5 and step 1 are "5,6,0".
func withSunday(low, step int) string {
	var days []string
	for d := low; d <= 7; d += step {
		days = append(days, strconv.Itoa(d%7))
	}
	return strings.Join(days, ",")
}

// last is the highest value as counted: Sunday as 7 is Sunday as 0.
func (f field) last() int {
	if f.high == 7 {
		return 6
	}
	return f.high
}

// nearName is the name that a longer or a shorter one begins with; "": none.
func (f field) nearName(text string) string {
	if len(text) < 2 {
		return ""
	}
	at := strings.Index(f.names, strings.ToLower(text[:min(3, len(text))]))
	if at < 0 || at%3 != 0 {
		return ""
	}
	return strings.ToUpper(f.names[at : at+3])
}

// value reads a number or a name of the field, or returns what is wrong with it.
func (f field) value(text string) (int, string) {
	if n, ok := parseNumber(text); ok {
		if n < f.low || n > f.high {
			return 0, fmt.Sprintf("%d is not from %d to %d.", n, f.low, f.high)
		}
		return n, ""
	}
	if i := strings.Index(f.names, strings.ToLower(text)); len(text) == 3 && i >= 0 && i%3 == 0 {
		return f.low + i/3, ""
	}
	switch {
	case text == "":
		return 0, fmt.Sprintf("an item is empty; give numbers from %d to %d.", f.low, f.high)
	case strings.ContainsAny(text, "L#W"):
		return 0, fmt.Sprintf("%q is not understood: L, W and # are extensions of other schedulers; name the days, such as 28-31 or MON, and decide in the workflow.", text)
	case f.names != "":
		name := strings.ToUpper(f.names[3:6])
		if near := f.nearName(text); near != "" {
			return 0, fmt.Sprintf("%q is neither a number from %d to %d nor a name such as %s; write %s.", text, f.low, f.high, name, near)
		}
		return 0, fmt.Sprintf("%q is neither a number from %d to %d nor a name such as %s.", text, f.low, f.high, name)
	}
	return 0, fmt.Sprintf("%q is not a number from %d to %d.", text, f.low, f.high)
}

// parseNumber reads decimal digits, at most nine, which no int overflows; false
// for anything else, signs and spaces included.
func parseNumber(text string) (int, bool) {
	if text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// cronError returns fault.Unacceptable invalid_cron with one issue. column counts
// from 1, 0 where no single place is wrong; suggestion is a right expression, "" for
// none.
func cronError(column int, suggestion, format string, args ...any) *fault.Error {
	err := fault.New(fault.Unacceptable, "invalid_cron", format, args...)
	err.Issues = []fault.Issue{{
		Code: "invalid_cron", Severity: "error", Message: err.Message, Pointer: "/cron_expression",
		Column: column, Suggestion: suggestion,
	}}
	return err
}
