package schedules

import (
	"fmt"
	"heddle/fault"
	"strconv"
	"strings"
	"time"

	regexp "heddle/internal/lazyregexp"
)

// foreignFormats are the formats of other schedulers, with the reason why each is
// refused and its translation. write returns the expression from the groups of the
// pattern, "" where there is none. The first match counts.
var foreignFormats = []struct {
	pattern *regexp.Regexp
	say     string
	write   func(m []string) string
}{
	{
		regexp.MustCompile(`(?i)^rate\(\s*(\d{1,6})\s+(second|minute|hour|day|week)s?\s*\)$`),
		"rate(…) is the form of AWS EventBridge", func(m []string) string { return everyExpression(m[1], m[2]) },
	},
	{
		regexp.MustCompile(`(?i)^cron\(\s*(.*?)\s*\)$`),
		"cron(…) is the form of AWS EventBridge, whose sixth field is the year", func(m []string) string { return fromAWS(strings.Fields(m[1])) },
	},
	{
		regexp.MustCompile(`(?i)^(?:every|each)\s+(?:(\d{1,6})\s*)?(second|sec|minute|min|hour|day|week)s?$`),
		"a schedule is five fields, not words", func(m []string) string { return everyExpression(orElse(m[1], "1"), m[2]) },
	},
	{
		regexp.MustCompile(`(?i)^(?:every\s+day|daily)\s+at\s+(\d{1,2})(?::(\d{2}))?\s*(am|pm)?$`),
		"a schedule is five fields, not words", func(m []string) string { return dailyAt(m[1], orElse(m[2], "0"), m[3]) },
	},
	{
		regexp.MustCompile(`(?i)^(?:(?:daily|every\s+day)\s+)?(?:at\s+)?(\d{1,2})(?::(\d{2}))?\s*(am|pm)(?:\s+(?:daily|every\s*day))?$`),
		"a schedule is five fields, not words", func(m []string) string { return dailyAt(m[1], orElse(m[2], "0"), m[3]) },
	},
	{
		regexp.MustCompile("^[\"'`](.+)[\"'`]$"),
		"the quotes are a part of it", func(m []string) string { return strings.TrimSpace(m[1]) },
	},
	{
		regexp.MustCompile(`(?i)^(hourly|daily|midnight|weekly|monthly|yearly|annually)$`),
		"the word begins with @", func(m []string) string { return "@" + strings.ToLower(m[1]) },
	},
	{
		regexp.MustCompile(`(?i)^@(?:every_minute|minutely|minute)$`),
		"there is no such word", func([]string) string { return "* * * * *" },
	},
	{
		regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::\d{2})?$`),
		"a time of day is written in five fields", func(m []string) string { return dailyAt(m[1], m[2], "") },
	},
	{
		regexp.MustCompile(`(?i)^(?:R\d*/)?P(?:T?)(\d{1,6})([SMHDW])$`),
		"an ISO 8601 interval is written @every, or in five fields", func(m []string) string { return fromISO8601(m) },
	},
	{
		regexp.MustCompile(`^(\d{1,6})\s*(s|sec|seconds|m|min|minutes|h|hours|d|days)$`),
		"an interval is written @every, or in five fields", func(m []string) string { return everyExpression(m[1], m[2]) },
	},
	{
		regexp.MustCompile(`^(\d{2,9})$`),
		"an interval is written @every with its unit", func(m []string) string { return everyExpression(m[1], "second") },
	},
	{
		regexp.MustCompile(`^(?:[A-Za-z]{3}(?:[-,.]+[A-Za-z]{3})*\s+)?\*-\*-\*\s+(\d{1,2}):(\d{1,2})(?::\d{1,2})?$`),
		"that is the form of systemd timers", func(m []string) string { return dailyAt(m[1], m[2], "") },
	},
	{
		regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ]?`),
		"a schedule repeats, and does not name one time; a step of type wait waits until one", func([]string) string { return "" },
	},
	{
		regexp.MustCompile(`^(H(?:\([^)]*\))?(?:/\d+)?(?:\s+\S+){4})$`),
		"H is Jenkins' way to spread load; write a number, and jitter_seconds to spread", func(m []string) string { return withoutJenkinsHash(m[1]) },
	},
}

// foreignFormatError returns the error for an expression in another scheduler's
// format, with its translation as the suggestion if that is valid here; nil where
// it is in none of them.
func foreignFormatError(text string) *fault.Error {
	for _, form := range foreignFormats {
		m := form.pattern.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		right := form.write(m)
		if _, err := Parse(right); right == "" || err != nil {
			return cronError(1, "", "%q is not five cron fields: %s.", text, form.say)
		}
		return cronError(1, right, "%q is not five cron fields: %s; write %q.", text, form.say, right)
	}
	return nil
}

// orElse returns s, or otherwise where s is "".
func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// everyExpression returns the expression for "every count units": five fields
// where the interval divides an hour, a day or a week evenly, otherwise @every; ""
// where the count is not a number from 1.
func everyExpression(count, unit string) string {
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return ""
	}
	var d time.Duration
	switch strings.ToLower(unit)[0] {
	case 's':
		d = time.Second
	case 'm':
		d = time.Minute
	case 'h':
		d = time.Hour
	case 'd':
		d = 24 * time.Hour
	default:
		d = 7 * 24 * time.Hour
	}
	switch d *= time.Duration(n); {
	case d == time.Minute:
		return "* * * * *"
	case d < time.Minute:
		return "* * * * *"
	case d == time.Hour:
		return "0 * * * *"
	case d == 24*time.Hour:
		return "0 0 * * *"
	case d == 7*24*time.Hour:
		return "0 0 * * 0"
	case d < time.Hour && d%time.Minute == 0 && time.Hour%d == 0:
		return fmt.Sprintf("*/%d * * * *", d/time.Minute)
	case d < 24*time.Hour && d%time.Hour == 0 && 24*time.Hour%d == 0:
		return fmt.Sprintf("0 */%d * * *", d/time.Hour)
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return "@every " + text
}

// fromISO8601 translates an ISO 8601 duration. M is months without a T before it,
// and minutes with one.
func fromISO8601(m []string) string {
	unit := map[string]string{"S": "second", "M": "minute", "H": "hour", "D": "day", "W": "week"}[strings.ToUpper(m[2])]
	if unit == "minute" && !strings.Contains(strings.ToUpper(m[0]), "T") {
		return "0 0 1 * *" // a month
	}
	return everyExpression(m[1], unit)
}

// dailyAt returns the expression for a time of day; half is am, pm or "". It does
// not check the numbers: "25" becomes an expression that Parse refuses.
func dailyAt(hour, minute, half string) string {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	switch strings.ToLower(half) {
	case "pm":
		h = h%12 + 12
	case "am":
		h %= 12
	}
	return fmt.Sprintf("%d %d * * *", m, h)
}

// fromAWS translates the fields of an AWS EventBridge expression: it drops the
// year, replaces ? by *, and counts weekdays from 0, because AWS counts Sunday as
// 1. Other numbers of fields than 5 and 6 are "".
func fromAWS(parts []string) string {
	if len(parts) != 6 && len(parts) != 5 {
		return ""
	}
	parts = append([]string(nil), parts[:5]...)
	for i := range parts {
		if parts[i] == "?" {
			parts[i] = "*"
		}
	}
	parts[4] = awsWeekday.ReplaceAllStringFunc(parts[4], func(day string) string {
		if day[0] == '/' || day[0] == '#' {
			return day
		}
		n, _ := strconv.Atoi(day)
		return strconv.Itoa(n - 1)
	})
	return strings.Join(parts, " ")
}

// awsWeekday matches the numbers of a weekday field, with a / or # before those
// that are steps and ordinals, which are not weekdays.
var awsWeekday = regexp.MustCompile(`[/#]?\d+`)

// withoutJenkinsHash replaces Jenkins' H by 0, with its step if it has one.
func withoutJenkinsHash(text string) string {
	return jenkinsHash.ReplaceAllString(text, "0$1")
}

// jenkinsHash matches H with its range; its group is the step.
var jenkinsHash = regexp.MustCompile(`\bH(?:\([^)]*\))?(/\d+)?`)

// yearField matches *, or years from 1900 to 2199 with lists, ranges and steps.
var yearField = regexp.MustCompile(`^(\*|(19|20|21)\d\d([-,/](\d+))*)$`)

// hasTrailingYear reports whether six fields are those of AWS, whose last is the
// year, rather than those of Quartz, whose first is the second. It looks at where
// ? stands: for the third or fifth field with AWS, the fourth or sixth with Quartz.
func hasTrailingYear(parts []string) bool {
	if len(parts) != 6 || !yearField.MatchString(parts[5]) {
		return false
	}
	return parts[2] == "?" || parts[4] == "?" || parts[5] != "*"
}
