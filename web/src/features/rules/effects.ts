import type { RuleEffect } from '@/api/rules'
import type { TextKey } from '@/i18n'

/** What a rule does for those whom it is about: deny before bind before prefer, whatever their priorities are. */
export const EFFECTS = {
  deny: { label: 'rules.effect.deny.label', hint: 'rules.effect.deny.hint', icon: 'i-lucide-ban', color: 'error' },
  allow: { label: 'rules.effect.allow.label', hint: 'rules.effect.allow.hint', icon: 'i-lucide-shield-check', color: 'success' },
  bind: { label: 'rules.effect.bind.label', hint: 'rules.effect.bind.hint', icon: 'i-lucide-link', color: 'info' },
  prefer: { label: 'rules.effect.prefer.label', hint: 'rules.effect.prefer.hint', icon: 'i-lucide-arrow-up-narrow-wide', color: 'neutral' },
} as const satisfies Record<RuleEffect, { label: TextKey; hint: TextKey; icon: string; color: string }>

export const EFFECT_NAMES = Object.keys(EFFECTS) as RuleEffect[]
