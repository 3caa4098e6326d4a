package schedules

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Describe returns when the expression is due in plain English, such as "At 09:00
// on weekdays, New York time". zone is the IANA name that the text mentions; it is
// not checked.
func (s Spec) Describe(zone string) string {
	if s.every > 0 {
		return "Every " + intervalWords(s.every)
	}
	when, daily := s.clockWords()
	days := s.dayWords()
	if days == "" && daily {
		days = " every day"
	}
	return when + days + ", " + zoneWords(zone)
}

// intervalWords returns an interval in words: "90m" is "1 hour and 30 minutes",
// a single unit is without its 1: "hour".
func intervalWords(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := d / unit.size
		d -= n * unit.size
		switch {
		case n == 1:
			parts = append(parts, "1 "+unit.name)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	if len(parts) == 1 {
		return strings.TrimPrefix(parts[0], "1 ")
	}
	return joinWords(parts, "and")
}

// zoneWords returns what people call a zone: "UTC", the city's name and "time", or
// the whole name where it has no city.
func zoneWords(zone string) string {
	switch zone {
	case "", "UTC", "Etc/UTC", "Etc/GMT", "GMT":
		return "UTC"
	}
	city := zone[strings.LastIndexByte(zone, '/')+1:]
	if strings.HasPrefix(zone, "Etc/") || !strings.Contains(zone, "/") {
		return zone + " time"
	}
	return strings.ReplaceAll(city, "_", " ") + " time"
}

// maxListedTimes is how many times of day are listed one by one.
const maxListedTimes = 6

// clockWords returns at what times of a day the expression is due. daily is true
// where these are single times ("At 09:00 and 17:00") rather than a rhythm
// ("Every 15 minutes"), so that "every day" can follow.
func (s *Spec) clockWords() (words string, daily bool) {
	minutes, hours := setBits(s.minute), setBits(s.hour)
	everyHour := len(hours) == 24
	switch {
	case len(minutes)*len(hours) <= maxListedTimes:
		return "At " + joinWords(s.timesOfDay(minutes, hours), "and"), true
	case len(minutes) == 60 && everyHour:
		return "Every minute", false
	case everyHour && stepOf(minutes, 60) > 0:
		return fmt.Sprintf("Every %d minutes", stepOf(minutes, 60)), false
	case everyHour && len(minutes) == 1 && minutes[0] == 0:
		return "Every hour", false
	case everyHour:
		return "At " + minuteWords(minutes) + " of every hour", false
	case len(minutes) == 1 && stepOf(hours, 24) > 0:
		return fmt.Sprintf("At minute %d of every %s hour from 00:00", minutes[0], ordinal(stepOf(hours, 24))), false
	case len(minutes) == 60:
		return "Every minute of " + hourWords(hours), false
	case stepOf(minutes, 60) > 0:
		return fmt.Sprintf("Every %d minutes of %s", stepOf(minutes, 60), hourWords(hours)), false
	}
	return "At " + minuteWords(minutes) + " of " + hourWords(hours), false
}

// timesOfDay lists every combination as HH:MM, in order.
func (s *Spec) timesOfDay(minutes, hours []int) []string {
	var list []string
	for _, h := range hours {
		for _, m := range minutes {
			list = append(list, fmt.Sprintf("%02d:%02d", h, m))
		}
	}
	return list
}

// minuteWords returns "minute 5", or "minutes 5, 20 and 35".
func minuteWords(minutes []int) string {
	if len(minutes) == 1 {
		return "minute " + strconv.Itoa(minutes[0])
	}
	return "minutes " + ranges(minutes, strconv.Itoa)
}

// hourWords returns "hour 9", or "hours 9 to 17".
func hourWords(hours []int) string {
	if len(hours) == 1 {
		return "hour " + strconv.Itoa(hours[0])
	}
	return "hours " + ranges(hours, strconv.Itoa)
}

// dayWords returns on which days the expression is due, with a leading space; ""
// for every day.
func (s *Spec) dayWords() string {
	var where []string
	allDays, allWeek := bits.OnesCount64(s.dom) == 31, bits.OnesCount64(s.dow) == 7
	month := s.dom != 0 && !allDays
	week := !allWeek
	either := month && week && !s.anyDom && !s.anyDow
	// Where neither is *, either is enough, so a field with all values makes every
	// day match: "0 9 1-31 * MON" is every day.
	if !s.anyDom && !s.anyDow && (allDays || allWeek) {
		month, week = false, false
	}
	if month {
		where = append(where, "on "+dayOfMonthWords(setBits(s.dom)))
	}
	if week {
		where = append(where, weekdayWords(setBits(s.dow)))
	}
	words := strings.Join(where, " or ")
	if either {
		words += " (either)"
	}
	if months := setBits(s.month); len(months) < 12 {
		words += " in " + ranges(months, func(m int) string { return time.Month(m).String() })
	}
	if words == "" {
		return ""
	}
	return " " + strings.TrimSpace(words)
}

// dayOfMonthWords returns "day 1 of the month", or "days 1 and 15 of the month".
func dayOfMonthWords(days []int) string {
	if len(days) == 1 {
		return "day " + strconv.Itoa(days[0]) + " of the month"
	}
	return "days " + ranges(days, strconv.Itoa) + " of the month"
}

// weekdayWords returns "on weekdays", "at weekends", or the days by name.
func weekdayWords(days []int) string {
	switch fmt.Sprint(days) {
	case "[1 2 3 4 5]":
		return "on weekdays"
	case "[0 6]":
		return "at weekends"
	}
	return "on " + ranges(days, func(d int) string { return time.Weekday(d).String() })
}

// setBits lists the positions of the bits that are set, in order.
func setBits(set uint64) []int {
	var list []int
	for ; set != 0; set &= set - 1 {
		list = append(list, bits.TrailingZeros64(set))
	}
	return list
}

// stepOf returns the distance between values that divide a cycle evenly from 0,
// such as 15 for 0, 15, 30, 45 of 60; 0 where they do not.
func stepOf(list []int, cycle int) int {
	if len(list) < 2 || list[0] != 0 || cycle%len(list) != 0 {
		return 0
	}
	step := cycle / len(list)
	for i, v := range list {
		if v != i*step {
			return 0
		}
	}
	return step
}

// ranges joins values with their names, three and more in a row as "a to b".
func ranges(list []int, name func(int) string) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if j-i >= 2 {
			parts = append(parts, name(list[i])+" to "+name(list[j]))
			i = j + 1
			continue
		}
		parts = append(parts, name(list[i]))
		i++
	}
	return joinWords(parts, "and")
}

// joinWords joins parts with commas, and the last one with the word last.
func joinWords(parts []string, last string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " " + last + " " + parts[len(parts)-1]
}

// ordinal returns "2nd", "3rd", "4th" and so on, for 2 to 12.
func ordinal(n int) string {
	switch n {
	case 2:
		return "2nd"
	case 3:
		return "3rd"
	}
	return strconv.Itoa(n) + "th"
}
