package expressions

import (
	"slices"
	"time"
)

// timeFunctions make times and durations of text; the rest are methods and
// operators.
var timeFunctions = map[string]function{
	"date":     {1, 3, date},
	"duration": {1, 1, duration},
}

// date is date(text), which reads RFC 3339, date(text, layout), where the
// layout of package time must hold a zone, and date(text, layout, zone) with an
// IANA zone name. A time without a zone has no meaning that is the same
// everywhere, so it is refused; so is Local, which is a zone of the machine.
// The error has CodeFailed for what does not fit, and for texts of more than
// 200 bytes. Parsing and finding a zone cost ten units of fuel and more.
func date(e *evaluation, a []any) (any, *Error) {
	if err := e.spend(10 * len(a) * len(a)); err != nil {
		return nil, err
	}
	words := make([]string, len(a))
	for i := range a {
		var err *Error
		if words[i], err = e.stringArg(a[i]); err != nil {
			return nil, err
		}
		if len(words[i]) > 200 {
			return nil, fail(CodeFailed, "the text is too long for a time")
		}
	}
	switch len(words) {
	case 1:
		return parseTime(time.RFC3339, words[0], nil)
	case 2:
		return parseTime(words[1], words[0], nil)
	}
	// LoadLocation takes these for UTC and for the machine's zone.
	if words[2] == "" || words[2] == "Local" {
		return nil, fail(CodeFailed, "name a zone, like Europe/Berlin or UTC")
	}
	zone, err := e.zone(words[2])
	if err != nil {
		return nil, err
	}
	return parseTime(words[1], words[0], zone)
}

// zone returns a zone by its IANA name, which is loaded once per evaluation. The
// error has CodeFailed.
func (e *evaluation) zone(name string) (*time.Location, *Error) {
	if zone := e.zones[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fail(CodeFailed, "there is no zone %s", shown(name))
	}
	if e.zones == nil {
		e.zones = make(map[string]*time.Location)
	}
	e.zones[name] = zone
	return zone, nil
}

// parseTime reads a time. Without a zone the result has the offset that the
// text names and no name: time.Parse would otherwise take the machine's zone
// where that has the same offset, and the same text would print differently
// elsewhere.
func parseTime(layout, text string, zone *time.Location) (any, *Error) {
	if zone != nil {
		t, err := time.ParseInLocation(layout, text, zone)
		if err != nil {
			return nil, fail(CodeFailed, "%s does not fit the layout %s", shown(text), shown(layout))
		}
		return t, nil
	}
	// Parsed before the layout is judged, so that the more likely mistake is
	// reported.
	t, err := time.Parse(layout, text)
	if err != nil {
		return nil, fail(CodeFailed, "%s is not a time like 2026-01-31T15:04:05Z; give its layout, and its zone if it names none", shown(text))
	}
	if !zoned(layout) {
		return nil, fail(CodeFailed, "the layout %s names no zone; give one as third argument", shown(layout))
	}
	_, offset := t.Zone()
	return t.In(time.FixedZone("", offset)), nil
}

// zoned reports whether a layout reads a numeric offset or Z; the abbreviation
// of a zone is ambiguous and does not count.
func zoned(layout string) bool {
	for i := range layout {
		rest := layout[i:]
		if len(rest) >= 3 && (rest[:3] == "Z07" || rest[:3] == "-07") {
			return true
		}
	}
	return false
}

// duration is duration(text), in the form of Go: 90s, 1h30m.
func duration(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	d, perr := time.ParseDuration(s)
	if perr != nil {
		return nil, fail(CodeFailed, "%s is not a duration like 90s or 1h30m", shown(s))
	}
	return d, nil
}

// timeMethods are the methods of times without arguments that expressions may
// call. Months count from 1, weekdays from 0, a Sunday.
var timeMethods = map[string]func(time.Time) any{
	"Year": func(t time.Time) any { return t.Year() }, "Month": func(t time.Time) any { return int(t.Month()) },
	"Day": func(t time.Time) any { return t.Day() }, "Hour": func(t time.Time) any { return t.Hour() },
	"Minute": func(t time.Time) any { return t.Minute() }, "Second": func(t time.Time) any { return t.Second() },
	"Weekday": func(t time.Time) any { return int(t.Weekday()) }, "YearDay": func(t time.Time) any { return t.YearDay() },
	"Unix": func(t time.Time) any { return int(t.Unix()) }, "UnixMilli": func(t time.Time) any { return int(t.UnixMilli()) },
	"UTC": func(t time.Time) any { return t.UTC() },
}

// durationMethods are the methods of durations that expressions may call.
var durationMethods = map[string]func(time.Duration) any{
	"Hours": func(d time.Duration) any { return d.Hours() }, "Minutes": func(d time.Duration) any { return d.Minutes() },
	"Seconds": func(d time.Duration) any { return d.Seconds() }, "Milliseconds": func(d time.Duration) any { return int(d.Milliseconds()) },
}

// otherMethods are the methods of times with one argument; see timeMethod.
var otherMethods = []string{"Format", "Add", "Sub", "Before", "After", "Equal"}

// methodAllowed reports whether a time or a duration has a method of that name.
// Whether the value is one is known only at evaluation.
func methodAllowed(name string) bool {
	_, ofTime := timeMethods[name]
	_, ofDuration := durationMethods[name]
	return ofTime || ofDuration || slices.Contains(otherMethods, name)
}

// method calls a method of a time or a duration. The error has CodeType for a
// value of another kind and for arguments that the method does not take.
func (e *evaluation) method(v any, name string, args []any) (any, *Error) {
	if len(args) == 1 {
		return e.timeMethod(v, name, args[0])
	}
	if len(args) == 0 {
		switch v := v.(type) {
		case time.Time:
			if f, ok := timeMethods[name]; ok {
				return f(v), nil
			}
		case time.Duration:
			if f, ok := durationMethods[name]; ok {
				return f(v), nil
			}
		}
	}
	return nil, noMethod(v, name)
}

// noMethod is the error of method.
func noMethod(v any, name string) *Error {
	return fail(CodeType, "%s has no method %s with these arguments", kindOf(v), name)
}

// timeMethod calls a method of a time with one argument, whose type decides
// which are possible. A layout for Format has at most 200 bytes.
func (e *evaluation) timeMethod(v any, name string, arg any) (any, *Error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, noMethod(v, name)
	}
	switch arg := arg.(type) {
	case string:
		if name == "Format" && len(arg) <= 200 {
			return e.builtString(t.Format(arg))
		}
	case time.Duration:
		if name == "Add" {
			return t.Add(arg), nil
		}
	case time.Time:
		switch name {
		case "Sub":
			return t.Sub(arg), nil
		case "Before":
			return t.Before(arg), nil
		case "After":
			return t.After(arg), nil
		case "Equal":
			return t.Equal(arg), nil
		}
	}
	return nil, noMethod(v, name)
}
