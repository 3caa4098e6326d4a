package expressions

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// written draws numbers as they are written: small, at the edges of float64 and
// of 64 bits, beyond them, with many digits.
func written() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) string { return fmt.Sprint(n) }),
		rapid.Map(rapid.Int(), func(n int) string { return fmt.Sprint(n) }),
		rapid.StringMatching(`-?[1-9][0-9]{14,24}`),
		rapid.StringMatching(`-?[1-9][0-9]{0,18}\.[0-9]{0,24}5`),
		rapid.SampledFrom([]string{
			"9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808",
			"9223372036854775808", "-9223372036854775809", "18446744073709551616", "0.1", "0.30000000000000004", "1e15", "3.0", "0.5", "-0.5", "2.5",
		}),
	)
}

// Whatever is calculated with numbers that float64 cannot hold is exact, or an
// error, and never rounded silently.
func TestLargeNumbersAreExactOrRefused(t *testing.T) {
	t.Parallel()
	operations := map[string]func(r, x, y *big.Rat) bool{
		"+": func(r, x, y *big.Rat) bool { r.Add(x, y); return true },
		"-": func(r, x, y *big.Rat) bool { r.Sub(x, y); return true },
		"*": func(r, x, y *big.Rat) bool { r.Mul(x, y); return true },
		"%": func(r, x, y *big.Rat) bool {
			if !x.IsInt() || !y.IsInt() || y.Sign() == 0 {
				return false
			}
			r.SetInt(new(big.Int).Rem(x.Num(), y.Num()))
			return true
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := written().Draw(t, "a"), written().Draw(t, "b")
		operator := rapid.SampledFrom([]string{"+", "-", "*", "%"}).Draw(t, "operator")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		want := new(big.Rat)
		defined := operations[operator](want, x, y)
		got, err := evaluated(t, "input.a "+operator+" input.b", a, b)
		if err != nil {
			return // refused: beyond 64 bits, or not defined
		}
		if !defined {
			t.Fatalf("%s %s %s is not defined and gives %s", a, operator, b, got)
		}
		r, ok := new(big.Rat).SetString(got)
		if !ok || r.Cmp(want) != 0 && (large(a) || large(b)) {
			t.Fatalf("%s %s %s = %s, want %s", a, operator, b, got, want.FloatString(30))
		}
	})
}

// large reports whether float64 does not hold a number as it is written.
func large(s string) bool { return needsExact(number(json.Number(s))) }

func evaluated(t interface{ Fatal(...any) }, source, a, b string) (string, error) {
	p, err := Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.EvalJSON(world{values: map[string]string{"input": `{"a":` + a + `,"b":` + b + `}`}})
	return string(raw), err
}

func TestNumbersAtTheEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, a, b, want string }{
		{"input.a + input.b", "9007199254740993", "0.5", "9007199254740993.5"},
		{"input.a + input.b", "9223372036854775808", "-1", "9223372036854775807"},
		{"input.a + input.b", "9223372036854775808", "1", "error beyond 64 bits"},
		{"input.a + input.b", "9223372036854775807", "1", "error beyond 64 bits"},
		{"input.a - input.b", "0.1234567890123456789", "0.0234567890123456789", "0.1"},
		{"input.a / input.b", "9007199254740993", "1", "9007199254740993"},
		{"input.a / input.b", "9007199254740993", "2", "4503599627370496.5"},
		{"input.a / input.b", "9007199254740993", "3", "3002399751580331"},
		{"input.a / input.b", "9223372036854775808", "2", "4611686018427387904"},
		{"input.a / input.b", "9223372036854775808", "0", "error division by zero"},
		{"input.a % input.b", "9223372036854775809", "10", "9"},
		{"input.a ** input.b", "3", "39", "4052555153018976267"},
		{"input.a ** input.b", "3", "50", "error beyond 64 bits"},
		{"input.a ** input.b", "2", "100", "error beyond 64 bits"},
		{"input.a ** input.b", "2", "64", "error beyond 64 bits"},
		{"input.a ** input.b", "2", "62", "4611686018427387904"},
		{"input.a ** input.b", "-2", "63", "-9223372036854775808"},
		{"input.a ** input.b", "10", "18", "1000000000000000000"},
		{"bitshl(input.a, input.b)", "1", "62", "4611686018427387904"},
		{"bitshl(input.a, input.b)", "1", "63", "error beyond 64 bits"},
		{"bitshl(input.a, input.b)", "3", "70", "error beyond 64 bits"},
		{"bitshl(input.a, input.b)", "-1", "63", "-9223372036854775808"},
		{"bitshl(input.a, input.b)", "0", "99", "0"},
		{"input.a ** input.b", "2", "3", "8"},
		{"input.a ** input.b", "2", "-1", "0.5"},
		{"input.a ** input.b", "9007199254740993", "0.5", "error rounds"},
		{"-input.a", "9007199254740993.5", "0", "-9007199254740993.5"},
		{"-input.a", "9223372036854775808", "0", "-9223372036854775808"},
		{"abs(input.a)", "-9007199254740993.5", "0", "9007199254740993.5"},
		{"floor(input.a)", "9007199254740993", "0", "9007199254740993"},
		{"floor(input.a)", "9007199254740993.7", "0", "9007199254740993"},
		{"ceil(input.a)", "9007199254740993.2", "0", "9007199254740994"},
		{"round(input.a)", "9007199254740993.5", "0", "9007199254740994"},
		{"round(input.a)", "-9007199254740993.5", "0", "-9007199254740994"},
		{"int(input.a)", "9007199254740993.9", "0", "9007199254740993"},
		{"int(input.a)", "-9007199254740993.9", "0", "-9007199254740993"},
		{"int(input.a)", "9223372036854775808", "0", "error beyond 64 bits"},
		{"float(input.a)", "9007199254740993", "0", "9007199254740992"},
		{"sum([input.a, input.b])", "9007199254740993", "9007199254740993", "18014398509481986"},
		{"mean(input.a, input.b)", "9007199254740993", "9007199254740995", "9007199254740994"},
		{"max(input.a, input.b)", "9007199254740993", "9007199254740992", "9007199254740993"},
		{"input.a > input.b", "9223372036854775808", "9223372036854775807", "true"},
		{"input.a == input.b", "9007199254740993", "9007199254740992.0", "false"},
		{"0.12345678901234567890123", "0", "0", "0.12345678901234567890123"},
		{"9007199254740993.0 + input.a", "0", "0", "9007199254740993"},
		{"9007199254740993.5 - 0.5", "0", "0", "9007199254740993"},
		{"[.12345678901234567890123, 1.5e3, 0.1 + 0.5]", "0", "0", "[0.12345678901234567890123,1500,0.6]"},
		{"string(input.a)", "12345678901234567890.10", "0", `"12345678901234567890.10"`},
		{"toJSON(input.a)", "9223372036854775808", "0", `"9223372036854775808"`},
	} {
		got, err := evaluated(t, c.source, c.a, c.b)
		if reason, fails := strings.CutPrefix(c.want, "error "); fails {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s of %s and %s = %s, %v; want %s", c.source, c.a, c.b, got, err, c.want)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s of %s and %s = %s, %v; want %s", c.source, c.a, c.b, got, err, c.want)
		}
	}
}

// Places in strings are in characters.
func TestStringsCountCharacters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aé漢🚀e\u0301 \n\"")), 0, 12, -1).Draw(t, "s")
		from, to := rapid.IntRange(-14, 14).Draw(t, "from"), rapid.IntRange(-14, 14).Draw(t, "to")
		raw, _ := json.Marshal(s)
		characters := []rune(s)
		check := func(source, want string) {
			got, err := evaluated(t, source, string(raw), "0")
			var text string
			if err != nil || json.Unmarshal([]byte(got), &text) != nil || text != want {
				t.Fatalf("%s of %s = %s, %v; want %q", source, raw, got, err, want)
			}
		}
		a, b := within(from, len(characters)), within(to, len(characters))
		check(fmt.Sprintf("input.a[%d:%d]", from, to), string(characters[min(a, b):b]))
		check(fmt.Sprintf("input.a[%d:]", from), string(characters[a:]))
		check(fmt.Sprintf("let x = input.a; x[:%d]", to), string(characters[:b]))
		for i, r := range characters {
			check(fmt.Sprintf("input.a[%d]", i), string(r))
			check(fmt.Sprintf("let x = input.a; x[%d]", i-len(characters)), string(r))
			first := strings.Index(s, string(r))
			at, err := evaluated(t, "indexOf(input.a, input.a["+fmt.Sprint(i)+"])", string(raw), "0")
			if want := fmt.Sprint(len([]rune(s[:first]))); err != nil || at != want {
				t.Fatalf("indexOf %q in %s = %s, %v; want %s", r, raw, at, err, want)
			}
		}
		n, err := evaluated(t, "len(input.a) - lastIndexOf(input.a, '🚀')", string(raw), "0")
		last := strings.LastIndex(s, "🚀")
		if last >= 0 {
			last = len([]rune(s[:last]))
		}
		if want := fmt.Sprint(len(characters) - last); err != nil || n != want {
			t.Fatalf("len - lastIndexOf of %s = %s, %v; want %s", raw, n, err, want)
		}
	})
}
