/** Asks the pool for this one, or a refusal. Address, token and account are the caller's own. */
export function allocateCommand(apiId: string): string {
  return [
    'curl -s "$SVC/api/admin/api-pool/allocate"',
    '-H "X-Service-Token: $TOKEN"',
    `--json '{"account_id": "ACCOUNT", "api_id": "${apiId}"}'`,
  ].join(' \\\n  ')
}
