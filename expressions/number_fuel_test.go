package expressions

import (
	"fmt"
	"strings"
	"testing"
)

// fuelOf returns the fuel that an expression takes which is true.
func fuelOf(t *testing.T, source string, s Scope) int {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	r := p.runner()
	r.evaluation.begin(s, p.paths)
	if v, err := r.machine.Run(p.code, r.env); err != nil || v != true {
		t.Fatalf("%s: %v, %v", source, v, err)
	}
	return MaxFuel - r.evaluation.fuel
}

func withNumber(number string) world {
	w := someWorld()
	w.values["input"] = fmt.Sprintf(`{"x":%s,"l":[%s1]}`, number, strings.Repeat("1,", 999))
	return w
}

// Work on long numbers is paid for by their length, in each way that takes time by it:
// reading them by 64 bytes, calculating exactly by 8 digits. What fits twenty digits
// costs next to nothing.
func TestLongNumbersCostFuel(t *testing.T) {
	const digits = 1_990
	long, short := withNumber("1."+strings.Repeat("7", digits)), withNumber("1.2345678901234567891")
	for least, forms := range map[int][]string{
		digits / 65: {
			"input.x == input.x", "input.x <= input.x", "input.x in [input.x]", "abs(input.x) > 0", "float(input.x) > 0", "string(input.x) != ''",
			"toJSON(input.x) != ''", "max(input.x, 1) > 0", "min([input.x]) > 0", "median([input.x]) > 0", "sort([input.x, 1])[0] == 1",
			"duration('1h') * input.x > duration('1m')",
		},
		digits / 9: {
			"-input.x < 0", "input.x + input.x > 0", "input.x - 1 > 0", "input.x * 1.5 > 0", "input.x / 2 > 0", "1 / input.x > 0", "floor(input.x) > 0",
			"round(input.x) > 0", "ceil(input.x) > 0", "int(input.x) > 0", "sum([input.x, 1]) > 0", "mean([input.x]) > 0",
		},
	} {
		for _, form := range forms {
			if n := fuelOf(t, form, long); n < least {
				t.Errorf("%s of %d digits costs %d, at least %d", form, digits, n, least)
			}
			if n := fuelOf(t, form, short); n > 20 {
				t.Errorf("%s of twenty digits costs %d", form, n)
			}
		}
	}
	// An exponent stands for digits.
	if n := fuelOf(t, "input.x + input.x != 0", withNumber("1.5e-1990")); n < digits/9 {
		t.Errorf("digits of an exponent cost %d", n)
	}
	cheaply(t, "a thousand sums", func() {
		source := "all(input.l, " + strings.Repeat("input.x + ", 30) + "1 > 0)"
		if _, code := evaluate(source, long); code != CodeLimit {
			t.Errorf("a thousand sums of thirty long numbers: %q", code)
		}
	})
}
