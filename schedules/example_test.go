package schedules_test

import (
	"fmt"
	"heddle/schedules"
	"time"
)

// A daily schedule fires once on every day of its zone: also on the day on which
// the clock jumps over its time, where Note says so.
func ExampleSpec_Preview() {
	spec, err := schedules.Parse("30 2 * * *")
	if err != nil {
		panic(err)
	}
	zone, err := schedules.LoadZone("America/New_York")
	if err != nil {
		panic(err)
	}
	rules := schedules.Rules{Gap: "shift", Repeat: "first"}
	fmt.Println(spec.Describe("America/New_York"))
	for _, t := range spec.Preview(time.Date(2026, time.March, 7, 0, 0, 0, 0, zone), time.Time{}, 3, zone, rules) {
		fmt.Println(t.At.Format("2 Jan 15:04 -07:00"))
		if t.Note != "" {
			fmt.Println("  " + t.Note)
		}
	}
	// Output:
	// At 02:30 every day, New York time
	// 7 Mar 02:30 -05:00
	// 8 Mar 03:00 -04:00
	//   02:30 does not exist on 2026-03-08 (clocks go from 02:00 to 03:00); moved to the first time after the gap.
	// 9 Mar 02:30 -04:00
}
