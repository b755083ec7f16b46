"""The catalogue of pinned weights, and pull, verify, locate.

    catalogue   what is pinned: ``get``, ``weights_of_profile``
    store       where it lies: ``locate``, ``digest``, ``verify``, ``models_folder``
    pull        how it comes: ``pull``

A *reference* is what a backend's option takes: a name of the catalogue (``lpips.alex``), or a path of the user's own
(anything with a slash in it).
"""
