"""What edit_metrics lacks."""

from edit_metrics.plugins import import_modules

import_modules(__name__)
