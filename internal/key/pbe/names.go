package pbe

// names are of algorithms that are known by name only, for errors.
var names = map[string]string{
	"1.2.840.113549.1.5.1":       "pbeWithMD2AndDES-CBC",
	"1.2.840.113549.1.5.4":       "pbeWithMD2AndRC2-CBC",
	"1.2.840.113549.1.9.16.3.18": "ChaCha20-Poly1305",
	"1.2.840.113549.2.6":         "HMAC with MD5",
	"1.2.840.113549.3.4":         "RC4",
	"1.2.840.113549.3.9":         "RC5-CBC-Pad",
	"1.2.392.200011.61.1.1.1.2":  "Camellia-128-CBC",
	"1.2.392.200011.61.1.1.1.3":  "Camellia-192-CBC",
	"1.2.392.200011.61.1.1.1.4":  "Camellia-256-CBC",
	"1.2.410.200004.1.4":         "SEED-CBC",
	"1.2.410.200046.1.1.2":       "ARIA-128-CBC",
	"1.2.410.200046.1.1.7":       "ARIA-192-CBC",
	"1.2.410.200046.1.1.12":      "ARIA-256-CBC",
	"1.2.156.10197.1.104.2":      "SM4-CBC",
	"1.2.156.10197.1.401.3.1":    "HMAC with SM3",
	"1.2.643.2.2.21":             "GOST 28147-89",
	"1.2.840.113533.7.66.10":     "CAST5-CBC",
	"1.3.6.1.4.1.3029.1.2":       "Blowfish-CBC",
	"1.3.6.1.4.1.188.7.1.1.2":    "IDEA-CBC",
	"2.16.840.1.101.3.4.1.1":     "AES-128-ECB",
	"2.16.840.1.101.3.4.1.3":     "AES-128-OFB",
	"2.16.840.1.101.3.4.1.4":     "AES-128-CFB",
	"2.16.840.1.101.3.4.1.21":    "AES-192-ECB",
	"2.16.840.1.101.3.4.1.23":    "AES-192-OFB",
	"2.16.840.1.101.3.4.1.24":    "AES-192-CFB",
	"2.16.840.1.101.3.4.1.41":    "AES-256-ECB",
	"2.16.840.1.101.3.4.1.43":    "AES-256-OFB",
	"2.16.840.1.101.3.4.1.44":    "AES-256-CFB",
}

// algorithmName is the name of an object identifier, or the identifier itself, shortened to what an error can hold.
func algorithmName(oid string) string {
	if name, ok := names[oid]; ok {
		return name
	}
	if len(oid) > 64 {
		return "with an object identifier of unusual length"
	}
	return "with the object identifier " + oid
}
