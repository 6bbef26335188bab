/** What this browser draws with. */

export type Renderer = 'none' | 'software' | 'hardware';

/** Software renderers by the names they give themselves in Chromium, Firefox and Mesa. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Asks the browser once, with a context of its own that is given back at once. */
export function findRenderer(): Renderer {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return 'none';
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return SOFTWARE.test(String(name)) ? 'software' : 'hardware';
}
