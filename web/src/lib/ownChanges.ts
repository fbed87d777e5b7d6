/**
 * When a person last changed something at this page. Lists hold rows still against what others change, and show at once
 * what the person did themselves.
 */
let at = 0

export function noteOwnChange(): void {
  at = Date.now()
}

export function changedHereAt(): number {
  return at
}
