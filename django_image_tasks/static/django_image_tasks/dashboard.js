// Whoever closed the overview finds it closed next time.
"use strict";

{
  const KEY = "django_image_tasks.overview";
  const overview = document.querySelector(".task-dashboard");

  if (overview) {
    overview.open = localStorage.getItem(KEY) !== "closed";
    overview.addEventListener("toggle", () => {
      localStorage.setItem(KEY, overview.open ? "open" : "closed");
    });
  }
}
