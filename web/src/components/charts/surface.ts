import { createSharedComposable, useMutationObserver } from '@vueuse/core'
import { shallowRef } from 'vue'
import { INKS, type Ink } from './chart'

/** What a canvas must be told of the page around it, as plain colours. */
export interface Surface {
  text: string
  line: string
  back: string
  font: string
}

/** Follows light and dark. */
export const useSurface = createSharedComposable(() => {
  const surface = shallowRef(read())
  useMutationObserver(document.documentElement, () => (surface.value = read()), { attributeFilter: ['class', 'lang'] })
  return surface
})

export function colorOf(ink: Ink, { text }: Surface): string {
  return ink === 'plain' ? text : INKS[ink]
}

function read(): Surface {
  return {
    text: colorNow('--ui-text-muted'),
    line: colorNow('--ui-border'),
    back: colorNow('--ui-bg'),
    font: getComputedStyle(document.body).fontFamily,
  }
}

/** A token may be a mixture in any colour space; what a pixel becomes of it is red, green and blue. */
function colorNow(token: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  document.body.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (pixel === null) return color
  pixel.fillStyle = color
  pixel.fillRect(0, 0, 1, 1)
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data
  return `rgb(${red}, ${green}, ${blue})`
}
