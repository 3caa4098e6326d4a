package schedules_test

import (
	"errors"
	"heddle/fault"
	"heddle/schedules"
	"strings"
	"testing"
	"time"
)

func TestRefusedExpressions(t *testing.T) {
	for expression, say := range map[string]string{
		"":                        "five fields",
		"   ":                     "five fields",
		"TZ=":                     "timezone",
		"TZ=UTC":                  "timezone",
		"CRON_TZ=UTC 0 2 * * *":   "timezone",
		"0 2 * *":                 "There are 4 fields",
		"0 0 2 * * *":             `"0 2 * * *"`,
		"0 0 2 * * * 2026":        "Seconds and years",
		"60 2 * * *":              "minute: 60 is not from 0 to 59",
		"0 24 * * *":              "hour: 24 is not from 0 to 23",
		"0 0 0 * *":               "day of month: 0 is not from 1 to 31",
		"0 0 * 13 *":              "month: 13",
		"0 0 * * 8":               "day of week: 8 is not from 0 to 7",
		"*/90 * * * *":            "minute: the step \"90\" must be a number from 1 to 59",
		"*/0 * * * *":             "step",
		"0 */24 * * *":            "from 1 to 23",
		"0 22-2 * * *":            "22-23,0-2",
		"0 0 L * *":               "28-31",
		"0 0 * * MON#2":           "day of week",
		"0 0 15W * *":             "extensions",
		"0 0 * JANUARY *":         "such as FEB",
		"0 0 * * MO":              "such as MON; write MON",
		"0 0 * * Thursday":        "write THU",
		"0 0 * Sept *":            "write SEP",
		"0, 30 9 * * *":           `write "0,30 9 * * *"`,
		"0 9 * * 1 , 2":           `write "0 9 * * 1,2"`,
		"0 9 * * * Europe/Berlin": `write "0 9 * * *", and give Europe/Berlin as timezone`,
		"0 9 * * * UTC":           `write "0 9 * * *", and give UTC`,
		"FREQ=DAILY;BYHOUR=9":     "iCalendar",
		"RRULE:FREQ=WEEKLY":       "iCalendar",
		`"0 9 * * *"`:             `the quotes are a part of it; write "0 9 * * *"`,
		"9am daily":               `write "0 9 * * *"`,
		"at 5:30 PM":              `write "30 17 * * *"`,
		"1,,2 * * * *":            "empty",
		"*-5 * * * *":             "minute",
		"1-2-3 * * * *":           "minute",
		"1/2/3 * * * *":           "step",
		"? * * * *":               "minute",
		"-1 * * * *":              "minute",
		"+1 * * * *":              "minute",
		"0 0 31 2 *":              "never fires",
		"0 0 30 FEB *":            "never fires",
		"0 0 31 4,6,9,11 *":       "never fires",
		"@every 0s":               "at least a minute",
		"@every -1s":              "at least a minute",
		"@every 59s":              "at least a minute",
		"@every 90.5s":            "whole seconds",
		"@every":                  "interval",
		"@every soon":             "interval",
		"@reboot":                 "@daily",
		"@Daily":                  "@daily",
		"\u0660 2 * * *":          "minute",
		strings.Repeat("1,", 200): "characters",
	} {
		_, err := schedules.Parse(expression)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Unacceptable || f.Code != "invalid_cron" || !strings.Contains(f.Message, say) {
			t.Errorf("%q: %v, want a word of %q", expression, err, say)
			continue
		}
		if len(f.Issues) != 1 || f.Issues[0].Pointer != "/cron_expression" {
			t.Errorf("%q: issues %+v", expression, f.Issues)
		}
	}
}

// What other schedulers take is named, with what it is here.
func TestFormsOfOtherSchedulers(t *testing.T) {
	t.Parallel()
	for expression, right := range map[string]string{
		"rate(5 minutes)":          "*/5 * * * *",
		"rate(1 hour)":             "0 * * * *",
		"rate(2 hours)":            "0 */2 * * *",
		"rate(1 day)":              "0 0 * * *",
		"rate(90 minutes)":         "@every 1h30m",
		"rate(7 days)":             "0 0 * * 0",
		"cron(0 12 * * ? *)":       "0 12 * * *",
		"cron(15 10 ? * 6L 2026)":  "",
		"cron(0 18 ? * MON-FRI *)": "0 18 * * MON-FRI",
		"cron(0 18 ? * 2-6 *)":     "0 18 * * 1-5",
		"cron(0/15 8 1 * ? *)":     "0/15 8 1 * *",
		"0 12 * * ? *":             "0 12 * * *",
		"0 18 ? * 2-6 *":           "0 18 * * 1-5",
		"0 12 1 1 * 2026":          "0 12 1 1 *",
		"0 0 12 * * ?":             "0 12 * * ?",
		"0 0 12 ? * MON":           "0 12 ? * MON",
		"0 0 2 * * *":              "0 2 * * *",
		"every 5 minutes":          "*/5 * * * *",
		"Every hour":               "0 * * * *",
		"daily at 9:30 pm":         "30 21 * * *",
		"every day at 12am":        "0 0 * * *",
		"daily":                    "@daily",
		"@every_minute":            "* * * * *",
		"@minutely":                "* * * * *",
		"09:30":                    "30 9 * * *",
		"PT15M":                    "*/15 * * * *",
		"R/PT1H":                   "0 * * * *",
		"P1D":                      "0 0 * * *",
		"5m":                       "*/5 * * * *",
		"300":                      "*/5 * * * *",
		"*-*-* 02:00:00":           "0 2 * * *",
		"H 2 * * *":                "0 2 * * *",
		"H/15 * * * *":             "0/15 * * * *",
		"2026-01-31T09:00:00Z":     "",
	} {
		_, err := schedules.Parse(expression)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != "invalid_cron" {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		if got := f.Issues[0].Suggestion; got != right {
			t.Errorf("%q: suggests %q, want %q (%s)", expression, got, right, f.Message)
		}
		if right != "" && !strings.Contains(f.Message, right) {
			t.Errorf("%q: %s", expression, f.Message)
		}
		if right != "" {
			if _, err := schedules.Parse(right); err != nil {
				t.Errorf("%q suggests %q: %v", expression, right, err)
			}
		}
	}
}

func TestPlaceOfAMistake(t *testing.T) {
	_, err := schedules.Parse(" 0  2 * * FRI,MO")
	var f *fault.Error
	if !errors.As(err, &f) || f.Issues[0].Column != 11 {
		t.Errorf("%+v", f)
	}
}

func TestDescriptions(t *testing.T) {
	for _, test := range []struct{ expression, zone, want string }{
		{"0 9 * * 1-5", "America/New_York", "At 09:00 on weekdays, New York time"},
		{"0 9 * * MON-FRI", "UTC", "At 09:00 on weekdays, UTC"},
		{"0 2 * * *", "", "At 02:00 every day, UTC"},
		{"30 8,17 * * 6,7", "Europe/Berlin", "At 08:30 and 17:30 at weekends, Berlin time"},
		{"* * * * *", "UTC", "Every minute, UTC"},
		{"*/15 * * * *", "UTC", "Every 15 minutes, UTC"},
		{"*/15 9-17 * * 1-5", "UTC", "Every 15 minutes of hours 9 to 17 on weekdays, UTC"},
		{"0 * * * *", "UTC", "Every hour, UTC"},
		{"5 * * * *", "UTC", "At minute 5 of every hour, UTC"},
		{"0 */6 * * *", "UTC", "At 00:00, 06:00, 12:00 and 18:00 every day, UTC"},
		{"0 */2 * * *", "UTC", "At minute 0 of every 2nd hour from 00:00, UTC"},
		{"0 0 13 * 5", "UTC", "At 00:00 on day 13 of the month or on Friday (either), UTC"},
		{"0 0 */2 * 1", "UTC", "At 00:00 on days 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 and 31 of the month or on Monday (either), UTC"},
		{"0 0 1 1,7 *", "Asia/Ho_Chi_Minh", "At 00:00 on day 1 of the month in January and July, Ho Chi Minh time"},
		{"@weekly", "Etc/GMT+3", "At 00:00 on Sunday, Etc/GMT+3 time"},
		{"@every 90m", "UTC", "Every 1 hour and 30 minutes"},
		{"@every 1h", "UTC", "Every hour"},
		{"0 0 1-31 * 1", "UTC", "At 00:00 every day, UTC"},
	} {
		if got := spec(t, test.expression).Describe(test.zone); got != test.want {
			t.Errorf("%s: %q, want %q", test.expression, got, test.want)
		}
	}
}

func TestZones(t *testing.T) {
	for name, suggestion := range map[string]string{
		"Local": "", "Mars/Olympus": "", "europe/berlin": "Europe/Berlin", "New York": "America/New_York", "posix/UTC": "",
		"GMT+2": "Etc/GMT-2", "UTC-05:00": "Etc/GMT+5", "+02:00": "Etc/GMT-2", "-0330": "", "UTC+0": "UTC", "+15": "", "CEST": "Europe/Berlin", "pst": "America/Los_Angeles",
		"../../etc/passwd": "", "UTC ": "UTC",
	} {
		_, err := schedules.LoadZone(name)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != "invalid_timezone" || f.Issues[0].Suggestion != suggestion {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestPreviewNotes(t *testing.T) {
	for _, test := range []struct {
		zone, expression string
		rules            schedules.Rules
		from             time.Time
		n                int
		want             string // of the last
	}{
		{
			"America/New_York", "30 2 * * *",
			schedules.Rules{},
			time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC), 1,
			"02:30 does not exist on 2026-03-08 (clocks go from 02:00 to 03:00); moved to the first time after the gap.",
		},
		{
			"America/New_York", "0,30 2 * * *",
			schedules.Rules{Gap: schedules.Skip},
			time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC), 1,
			"02:00, 02:30 do not exist on 2026-03-08 (clocks go from 02:00 to 03:00); left out.",
		},
		{"America/New_York", "0 3 * * *", schedules.Rules{}, time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC), 1, ""},
		{
			"America/New_York", "30 1 * * *",
			schedules.Rules{},
			time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC), 1,
			"01:30 comes twice on 2026-11-01; this is the first, the other is left out.",
		},
		{
			"America/New_York", "30 * * * *",
			schedules.Rules{},
			time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), 1,
			"01:30 comes twice on 2026-11-01; this is the second.",
		},
		{"Pacific/Apia", "0 9 * * *", schedules.Rules{}, time.Date(2011, 12, 30, 0, 0, 0, 0, time.UTC), 1, "2011-12-30 does not exist in this zone."},
		{"America/New_York", "30 2 * * *", schedules.Rules{}, time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC), 1, ""},
	} {
		list := spec(t, test.expression).Preview(test.from, time.Time{}, test.n, zone(t, test.zone), test.rules)
		if got := list[len(list)-1].Note; got != test.want {
			t.Errorf("%s in %s: %q, want %q", test.expression, test.zone, got, test.want)
		}
	}
}
