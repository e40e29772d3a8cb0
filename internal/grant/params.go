package grant

import (
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// The names of grants in Exchange.Grant, the grant types and assertion types of RFC 7523, sections 2.1 and 2.2.
const (
	JWTBearer           = "jwt-bearer"
	ClientCredentials   = "client-credentials"
	jwtBearerType       = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// Params are the parameters of a grant, as a JSON object with templates; empty: none. placed says that the JWT is sent in another
// place. A grant that has no name here sends it as the assertion framework does (RFC 7521, section 4.1), unless it is placed.
func Params(name string, placed bool) string {
	switch name {
	case "":
		return ""
	case JWTBearer, jwtBearerType:
		return `{"grant_type":"` + jwtBearerType + `","assertion":"{{.Token}}"}`
	case ClientCredentials, "client_credentials":
		if placed && name != ClientCredentials {
			return `{"grant_type":"client_credentials"}`
		}
		return `{"grant_type":"client_credentials","client_assertion_type":"` + clientAssertionType + `","client_assertion":"{{.Token}}"}`
	}
	text, _ := media.Marshal(`{{"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"}}`) // literally
	if placed {
		return `{"grant_type":` + string(text) + `}`
	}
	return `{"grant_type":` + string(text) + `,"assertion":"{{.Token}}"}`
}
