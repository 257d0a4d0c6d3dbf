// Mathematics: KaTeX is fetched only by a page that has any.
const formulas = document.querySelectorAll(".arithmatex")
if (formulas.length) {
  const base = new URL("katex/", document.currentScript?.src || document.querySelector('script[src*="assets/site.js"]').src)
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("katex.min.css", base) })
  const script = Object.assign(document.createElement("script"), { src: new URL("katex.min.js", base) })
  script.onload = () => formulas.forEach(element => {
    const text = element.textContent
    const display = text.startsWith("\\[")
    katex.render(text.slice(2, -2), element, { displayMode: display, throwOnError: false })
    if (display) element.tabIndex = 0  // a wide formula scrolls in its box, with the keyboard too
  })
  document.head.append(style, script)
}
