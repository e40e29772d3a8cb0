// Reads {tokens: [{name, alg, token, pem | secret}]} from stdin and writes what each library says of each token.
import { createPublicKey, createSecretKey } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

const options = { issuer: 'interop', audience: 'verifier' };

const libraries = {
  jose: async (token, key, alg) => {
    const { payload, protectedHeader } = await jwtVerify(token, key, { ...options, algorithms: [alg] });
    return { header: protectedHeader, payload };
  },
  jsonwebtoken: async (token, key, alg) => {
    const { header, payload } = jsonwebtoken.verify(token, key, { ...options, algorithms: [alg], complete: true });
    return { header, payload };
  },
};

const verdicts = [];
for (const { name, alg, token, pem, secret } of JSON.parse(await text(process.stdin)).tokens) {
  const key = pem ? createPublicKey(pem) : createSecretKey(Buffer.from(secret, 'base64'));
  for (const [library, verify] of Object.entries(libraries)) {
    try {
      verdicts.push({ name, library, ...(await verify(token, key, alg)) });
    } catch (err) {
      verdicts.push({ name, library, error: err.message });
    }
  }
}
process.stdout.write(JSON.stringify(verdicts));
